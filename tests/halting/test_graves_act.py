"""Graves' ACT against the whole sequence: shares, remainder, blended answer, and the gradient through the remainder."""

import pytest
import torch
from torch import Tensor
from views import sequence_of, taught

from hrmlab.halting import GravesACT

LOSSES = torch.tensor([2.0, 0.7, 1.1])
LOGITS = torch.tensor([-1.5, -0.5, 1.5])  # shares 0.18 and 0.38; the third reaches one
POLICY = GravesACT(max_segments=9, epsilon=0.01, tau=0.05)


def cost(logits: Tensor) -> Tensor:
    """sum of p_n L_n + tau (N + R), for a sequence that ends at its third segment."""
    shares = logits[:2].sigmoid()
    rest = 1 - shares.sum()
    return (torch.cat([shares, rest[None]]) * LOSSES).sum() + POLICY.tau * (3 + rest)


def test_it_stops_where_the_shares_reach_one():
    views = sequence_of(POLICY, torch.stack([LOGITS, LOGITS], -1))
    assert [POLICY.wants_to_halt(view).item() for view in views] == [False, False, True]
    assert POLICY.readiness(views[1]).item() == pytest.approx(LOGITS[:2].sigmoid().sum().item())


def test_with_a_true_prediction_the_gradient_is_that_of_the_whole_cost_through_the_remainder():
    whole, stepwise = (LOGITS.clone().requires_grad_() for _ in range(2))
    (wanted,) = torch.autograd.grad(cost(whole), whole)
    values = torch.stack([stepwise, LOSSES[-1].expand(3)], -1)
    terms = taught(POLICY, sequence_of(POLICY, values), LOSSES)
    (found,) = torch.autograd.grad(terms["expected"] + terms["ponder"], stepwise)
    torch.testing.assert_close(found, wanted)
    assert wanted[0] != 0 and wanted[2] == 0


def test_the_ponder_cost_alone_pushes_every_share_before_the_last_up():
    """The defect that it guards against: a remainder without gradient, so that pondering costs nothing."""
    logits = LOGITS.clone().requires_grad_()
    terms = taught(POLICY, sequence_of(POLICY, torch.stack([logits, logits.detach()], -1)), LOSSES)
    (gradient,) = torch.autograd.grad(terms["ponder"], logits)
    assert (gradient[:2] < 0).all() and gradient[2] == 0
    assert terms["ponder"].item() == pytest.approx(POLICY.tau * (3 - LOGITS[:2].sigmoid().sum().item()))


def test_a_true_prediction_of_the_last_loss_is_at_rest():
    values = torch.stack([LOGITS, LOSSES[-1].expand(3)], -1)
    assert taught(POLICY, sequence_of(POLICY, values), LOSSES)["future"].item() == 0
    wrong = taught(POLICY, sequence_of(POLICY, values + torch.tensor([0.0, 0.3])), LOSSES)["future"]
    assert wrong.item() == pytest.approx(0.3**2 / 2)  # the second hears of the last; the first agrees with the second


def test_the_answer_is_the_mean_of_the_answers_by_their_shares():
    logits = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(1))
    views = sequence_of(POLICY, torch.stack([LOGITS, LOGITS], -1), logits=logits)
    shares = LOGITS[:2].sigmoid()
    p = torch.cat([shares, 1 - shares.sum(0, keepdim=True)])
    wanted = (p[:, None, None] * logits.softmax(-1)).sum(0)
    torch.testing.assert_close(POLICY.answer(views[2]).exp()[0], wanted)
