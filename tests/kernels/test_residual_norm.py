"""Residual and RMS norm: operator and twin against float64."""

import torch
from hypothesis import given
from kernel_cases import Case, cases, close
from torch import Tensor

from hrmlab.kernels import add_rms_norm, rms_norm, triton_here
from hrmlab.kernels.residual_norm import forward_op

EPS = 1e-5


def exact(x: Tensor, residual: Tensor) -> Tensor:
    total = x.double() + residual.double()
    return total / (total.square().mean(-1, keepdim=True) + EPS).sqrt()


def test_rms_norm_divides_by_the_root_mean_square() -> None:
    x = torch.randn(2, 3, 8) * 5
    expected = x / (x.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    torch.testing.assert_close(rms_norm(x, 1e-5), expected)


def test_rms_norm_computes_in_float32_and_answers_in_the_dtype_of_its_input() -> None:
    x = torch.full((1, 64), 300.0, dtype=torch.float16)  # the square overflows float16
    assert torch.equal(rms_norm(x, 1e-5), torch.ones(1, 64, dtype=torch.float16))


@given(case=cases())
def test_the_operator_normalises_the_sum_and_so_do_its_gradients(case: Case) -> None:
    x, residual = case.tensors(2)
    (weight,) = case.tensors(1)
    came, inverse = forward_op(x, residual, EPS)
    assert came.dtype == case.dtype and came.is_contiguous() and inverse.dtype == torch.float32
    close(came, exact(x, residual), case.dtype)
    gradients = torch.autograd.grad(came, (x, residual), weight.detach())
    wanted = torch.autograd.grad(exact(x, residual), (x, residual), weight.detach().double())
    steepest = inverse.detach().amax().item() if inverse.numel() else 1.0
    for one, other in zip(gradients, wanted, strict=True):
        assert one.dtype == case.dtype
        close(one / max(1.0, steepest), other / max(1.0, steepest), case.dtype, ulps=8)


@given(case=cases())
def test_elsewhere_than_on_a_gpu_it_is_the_formula_to_the_last_bit(case: Case) -> None:
    x, residual = case.tensors(2)
    if not triton_here.INTERPRETED:
        assert torch.equal(add_rms_norm(x, residual, EPS), rms_norm(x + residual, EPS))
    close(add_rms_norm(x, residual, EPS), exact(x, residual), case.dtype, ulps=4)


def test_shapes_that_differ_are_broadcast_by_torch() -> None:
    x, residual = torch.randn(2, 3, 8), torch.randn(8)
    assert torch.equal(add_rms_norm(x, residual, EPS), rms_norm(x + residual, EPS))
