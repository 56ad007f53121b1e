"""Learned exit distributions against the whole sequence's expected loss, differentiated at once."""

import pytest
import torch
from torch import Tensor
from views import sequence_of, taught

from hrmlab.halting import ExitDistribution, HaltingConfig, Ponder

LOSSES = torch.tensor([2.0, 0.7, 1.1, 0.2])
LOGITS = torch.tensor([-1.0, 0.3, -0.4, 0.9])
POLICIES = [Ponder(max_segments=4, beta=0.0), ExitDistribution(max_segments=4, beta=0.0)]
every_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.kind)


def distribution(logits: Tensor) -> Tensor:
    """p_n = lambda_n prod (1 - lambda_j), the last lambda 1."""
    stop = torch.cat([logits[:-1].sigmoid(), torch.ones(1)])
    return stop * torch.cat([torch.ones(1), (1 - stop[:-1]).cumprod(0)])


def to_come(logits: Tensor) -> Tensor:
    """U_n: what the answer will cost on average if the sequence goes on after n; 0 after the last."""
    p = distribution(logits)
    return torch.stack([(p[n + 1 :] * LOSSES[n + 1 :]).sum() / p[n + 1 :].sum() for n in range(3)] + [torch.zeros(())])


def values_of(logits: Tensor) -> Tensor:
    return torch.stack([logits, to_come(logits.detach())], -1)


@every_policy
def test_with_a_true_prediction_the_gradient_is_that_of_the_expected_loss(policy: HaltingConfig):
    whole, stepwise = (LOGITS.clone().requires_grad_() for _ in range(2))
    (wanted,) = torch.autograd.grad((distribution(whole) * LOSSES).sum(), whole)
    terms = taught(policy, sequence_of(policy, values_of(stepwise)), LOSSES)
    (found,) = torch.autograd.grad(terms["expected"], stepwise)
    torch.testing.assert_close(found, wanted)


@every_policy
def test_a_true_prediction_is_at_rest_and_a_false_one_is_drawn_to_it(policy: HaltingConfig):
    values = values_of(LOGITS)
    assert taught(policy, sequence_of(policy, values), LOSSES)["future"].item() == pytest.approx(0, abs=1e-10)
    low = (values - torch.tensor([0.0, 0.5])).requires_grad_()
    (gradient,) = torch.autograd.grad(taught(policy, sequence_of(policy, low), LOSSES)["future"], low)
    assert (gradient[:-1, 1] < 0).all() and gradient[-1, 1] == 0 and (gradient[:, 0] == 0).all()


def test_ponders_terms_add_up_to_the_divergence_from_the_truncated_geometric_distribution():
    policy = Ponder(max_segments=4, prior=0.3, beta=0.7)
    p = distribution(LOGITS)
    geometric = torch.tensor([0.3, 0.7 * 0.3, 0.7**2 * 0.3, 0.7**3])
    found = taught(policy, sequence_of(policy, values_of(LOGITS)), LOSSES)["kl"]
    torch.testing.assert_close(found, 0.7 * (p * (p / geometric).log()).sum())


def test_the_exit_distributions_terms_add_up_to_its_entropy_less_a_constant():
    """sum of S_n (log 2 - H(lambda_n)) over the segments at which there is a choice."""
    policy = ExitDistribution(max_segments=4, beta=0.7)
    p = distribution(LOGITS)
    reached = torch.tensor([1.0, 1 - p[0], 1 - p[:2].sum()])
    found = taught(policy, sequence_of(policy, values_of(LOGITS)), LOSSES)["narrowness"]
    torch.testing.assert_close(found, 0.7 * (reached.sum() * torch.tensor(2.0).log() + (p * p.log()).sum()))


@pytest.mark.parametrize("make", [Ponder, ExitDistribution])
def test_a_sequence_stops_where_the_distribution_passes_the_quantile(make: type[HaltingConfig]):
    p = (LOGITS.sigmoid() * torch.cat([torch.ones(1), (1 - LOGITS.sigmoid())[:-1].cumprod(0)])).cumsum(0)
    for quantile in (0.2, 0.5, 0.7, 0.9):
        policy = make(max_segments=9, quantile=quantile)
        wants = [policy.wants_to_halt(view).item() for view in sequence_of(policy, values_of(LOGITS))]
        assert wants == (p > quantile).tolist()
    readiness = [make().readiness(view).item() for view in sequence_of(make(), values_of(LOGITS))]
    assert readiness == pytest.approx(p.tolist())
