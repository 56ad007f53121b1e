"""SwiGLU's gate: operators and twins against float64."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import Case, cases, close
from torch import Tensor

from hrmlab.kernels import swiglu, swiglu_halves, triton_here
from hrmlab.kernels.gated import forward_op, halves_op, plain


def exact(gate: Tensor, up: Tensor) -> Tensor:
    return gate.double() / (1 + (-gate.double()).exp()) * up.double()


@given(case=cases(), scale=st.sampled_from([1.0, 20.0]))
def test_two_tensors_are_gated_and_so_are_their_gradients(case: Case, scale: float) -> None:
    gate, up = case.tensors(2, scale)
    (weight,) = case.tensors(1)
    came = forward_op(gate, up)
    assert came.dtype == case.dtype and came.is_contiguous()
    close(came, exact(gate, up), case.dtype)
    gradients = torch.autograd.grad(came, (gate, up), weight.detach())
    wanted = torch.autograd.grad(exact(gate, up), (gate, up), weight.detach().double())
    for one, other in zip(gradients, wanted, strict=True):
        assert one.dtype == case.dtype
        close(one, other, case.dtype, ulps=4)


@given(case=cases())
def test_the_halves_of_one_tensor_are_gated_and_its_gradient_is_one_tensor(case: Case) -> None:
    gate, up = case.tensors(2)
    both = torch.cat((gate, up), dim=-1).detach().requires_grad_()
    if case.turned:
        both = both.detach().transpose(0, -1).contiguous().transpose(0, -1).requires_grad_()
    (weight,) = case.tensors(1)
    came = halves_op(both)
    close(came, exact(gate, up), case.dtype)
    (gradient,) = torch.autograd.grad(came, both, weight.detach())
    wanted = torch.autograd.grad(exact(gate, up), (gate, up), weight.detach().double())
    assert gradient.is_contiguous() and gradient.dtype == case.dtype
    close(gradient, torch.cat(wanted, dim=-1), case.dtype, ulps=4)


@given(case=cases())
def test_elsewhere_than_on_a_gpu_it_is_the_formula_to_the_last_bit(case: Case) -> None:
    gate, up = case.tensors(2)
    both = torch.cat((gate, up), dim=-1)
    if not triton_here.INTERPRETED:
        assert torch.equal(swiglu(gate, up), plain(gate, up))
        assert torch.equal(swiglu_halves(both), plain(*both.chunk(2, dim=-1)))
    close(swiglu(gate, up), exact(gate, up), case.dtype, ulps=4)
    close(swiglu_halves(both), exact(gate, up), case.dtype, ulps=4)
