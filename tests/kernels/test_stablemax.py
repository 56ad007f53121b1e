"""Stablemax cross-entropy: operator and twin against float64, also where logits are extreme."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import ULP, Case, cases, close
from torch import Tensor

from hrmlab.kernels import stablemax_cross_entropy
from hrmlab.kernels.stablemax import forward_op, plain

IGNORE = -100


def exact(logits: Tensor, labels: Tensor) -> Tensor:
    x = logits.double()
    s = torch.where(x < 0, 1 / (1 - x.clamp_max(0)), x + 1)
    target = labels.clamp_min(0)[..., None].long()
    others = s.scatter(-1, target, 0).sum(-1)
    return torch.where(labels == IGNORE, 0, torch.log1p(others / s.gather(-1, target).squeeze(-1)))


@given(
    case=cases(st.integers(2, 40) | st.just(600)),
    scale=st.sampled_from([1e-3, 1.0, 1e4]),
    kept=st.floats(0, 1),
    wide=st.booleans(),
)
def test_the_operator_gives_the_loss_and_its_gradient(case: Case, scale: float, kept: float, wide: bool) -> None:
    if case.dtype == torch.float16:
        scale = min(scale, 1e3)
    (logits,) = case.tensors(1, scale)
    generator = torch.Generator().manual_seed(case.seed)
    labels = torch.randint(0, case.shape[-1], case.shape[:-1], generator=generator)
    labels[torch.rand(labels.shape, generator=generator) > kept] = IGNORE
    labels = labels if wide else labels.int()
    weight = torch.randn(labels.shape, generator=generator)
    came = forward_op(logits, labels, IGNORE)
    assert came.dtype == torch.float32 and came.is_contiguous()
    close(came, exact(logits, labels), torch.float32, ulps=8)
    (gradient,) = torch.autograd.grad(came, logits, weight)
    (wanted,) = torch.autograd.grad(exact(logits, labels), logits, weight.double())
    assert gradient.dtype == case.dtype
    close(gradient, wanted, case.dtype, ulps=4)
    assert came[labels == IGNORE].eq(0).all() and gradient[labels == IGNORE].eq(0).all()


@pytest.mark.parametrize("dtype", list(ULP))
def test_a_sure_answer_keeps_the_digits_of_its_small_loss(dtype: torch.dtype) -> None:
    logits = torch.tensor([[30000.0, -30000.0, -20000.0]], dtype=dtype)
    labels = torch.tensor([0])
    torch.testing.assert_close(forward_op(logits, labels, IGNORE).double(), exact(logits, labels), rtol=3e-6, atol=3e-9)


def test_a_head_that_starts_at_zero_learns_from_there() -> None:
    logits = torch.zeros(1, 4, requires_grad=True)
    (gradient,) = torch.autograd.grad(forward_op(logits, torch.tensor([2]), IGNORE).sum(), logits)
    torch.testing.assert_close(gradient, torch.tensor([[0.25, 0.25, -0.75, 0.25]]))


def test_the_twin_computes_in_the_type_asked_for() -> None:
    logits, labels = torch.randn(2, 3, 5), torch.randint(0, 5, (2, 3))
    assert plain(logits, labels, IGNORE, torch.float64).dtype == torch.float64
    torch.testing.assert_close(stablemax_cross_entropy(logits, labels, IGNORE), exact(logits, labels).float())
