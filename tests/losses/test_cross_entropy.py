"""Token losses against float64, also where logits are extreme."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hrmlab.losses import IGNORE, LossConfig, SoftmaxCrossEntropy, StablemaxCrossEntropy

EXTREME = st.sampled_from([-1e4, -1.0, -1e-3, -1e-8, 0.0, 1e-8, 1e-3, 1.0, 1e4]) | st.floats(-50, 50, width=32)


def reference(logits: Tensor, labels: Tensor) -> Tensor:
    """-log of s(label) / sum s, with s(x) = x + 1 from 0 on and 1 / (1 - x) below, in float64."""
    x = logits.double()
    s = torch.where(x < 0, 1 / (1 - x.clamp_max(0)), x + 1)
    chosen = s.gather(-1, labels.clamp_min(0)[..., None]).squeeze(-1)
    others = s.scatter(-1, labels.clamp_min(0)[..., None], 0).sum(-1)
    return torch.where(labels == IGNORE, 0, torch.log1p(others / chosen))  # log1p: right also where p is nearly 1


def both(loss: LossConfig, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    ours, theirs = logits.clone().requires_grad_(), logits.double().requires_grad_()
    value, wanted = loss(ours, labels), reference(theirs, labels)
    (gradient,) = torch.autograd.grad(value.sum(), ours)
    (gradient_wanted,) = torch.autograd.grad(wanted.sum(), theirs)
    return value.double(), wanted, gradient.double(), gradient_wanted


@given(row=st.lists(EXTREME, min_size=2, max_size=8), label=st.integers(0, 7))
def test_stablemax_in_float32_equals_float64_to_the_rounding_of_the_largest_logarithm(row: list[float], label: int):
    logits, labels = torch.tensor([[row]]), torch.tensor([[label % len(row)]])
    value, wanted, gradient, gradient_wanted = both(StablemaxCrossEntropy(), logits, labels)
    torch.testing.assert_close(value, wanted, rtol=1e-6, atol=4e-6)  # log(1e4) = 9.2, whose last float32 digit is 1e-6
    torch.testing.assert_close(gradient, gradient_wanted, rtol=4e-6, atol=1e-6)


@given(row=st.lists(EXTREME, min_size=2, max_size=8), label=st.integers(0, 7))
def test_stablemax_asked_for_float64_is_exact_to_float32(row: list[float], label: int):
    logits, labels = torch.tensor([[row]]), torch.tensor([[label % len(row)]])
    value, wanted, gradient, gradient_wanted = both(StablemaxCrossEntropy(float64=True), logits, labels)
    assert value.dtype == torch.float64  # kept, so that the losses of a batch are summed as the reference sums them
    torch.testing.assert_close(value, wanted, rtol=1e-6, atol=1e-14)
    torch.testing.assert_close(gradient, gradient_wanted, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("float64", [False, True])
@pytest.mark.parametrize("extreme", [1e4, -1e4])
def test_stablemax_of_one_extreme_logit_among_zeros(extreme: float, float64: bool):
    logits = torch.tensor([[[extreme, 0.0, 0.0]]]).expand(1, 2, 3).contiguous()
    labels = torch.tensor([[0, 1]])
    value, wanted, gradient, gradient_wanted = both(StablemaxCrossEntropy(float64=float64), logits, labels)
    torch.testing.assert_close(value, wanted, rtol=1e-6, atol=0 if float64 else 2e-6)
    torch.testing.assert_close(gradient, gradient_wanted, rtol=1e-6, atol=1e-10 if float64 else 1e-6)


@pytest.mark.parametrize("float64", [False, True])
def test_stablemax_learns_from_logits_that_are_exactly_zero(float64: bool):
    """s'(0) = 1 from both sides, so a head that starts at zero gets the gradient p - onehot there."""
    logits = torch.zeros(1, 1, 4, requires_grad=True)
    StablemaxCrossEntropy(float64=float64)(logits, torch.tensor([[2]])).sum().backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[[0.25, 0.25, -0.75, 0.25]]]))


def test_softmax_equals_torch():
    logits, labels = torch.randn(3, 5, 7) * 10, torch.randint(0, 7, (3, 5))
    labels[0, 0] = labels[2, 4] = IGNORE
    expected = F.cross_entropy(logits.mT, labels, reduction="none")
    assert torch.equal(SoftmaxCrossEntropy()(logits, labels), expected)


def test_softmax_computes_in_float32_whatever_comes_in():
    logits, labels = torch.randn(2, 3, 5).bfloat16(), torch.randint(0, 5, (2, 3), dtype=torch.int32)
    loss = SoftmaxCrossEntropy()(logits, labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, F.cross_entropy(logits.float().mT, labels.long(), reduction="none"))


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), StablemaxCrossEntropy(), StablemaxCrossEntropy(float64=True)])
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_ignored_labels_give_exactly_zero_and_no_gradient(loss: LossConfig, scale: float):
    logits = (torch.randn(2, 4, 5) * scale).requires_grad_()
    labels = torch.randint(0, 5, (2, 4))
    labels[0, 1:3] = IGNORE
    value = loss(logits, labels)
    value.sum().backward()
    ignored = labels == IGNORE
    assert value[ignored].eq(0).all() and logits.grad[ignored].eq(0).all()
    assert value[~ignored].gt(0).any() and logits.grad[~ignored].ne(0).any()
