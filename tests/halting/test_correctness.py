"""TRM's halting: one probability and its threshold."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from views import view_of

from hrmlab.halting import Correctness, Outcome


@given(threshold=st.floats(0.05, 0.95), logit=st.floats(-6, 6, width=32))
def test_halts_where_the_probability_passes_the_threshold(threshold: float, logit: float):
    view = view_of(torch.ones(1), torch.tensor([[logit, 100.0]]))
    probability = float(torch.tensor(logit).sigmoid())
    assume(abs(probability - threshold) > 1e-6)
    assert Correctness(threshold=threshold).wants_to_halt(view).item() is (probability > threshold)


@pytest.mark.parametrize(("logit", "halts"), [(1e-30, True), (0.0, False), (-1e-30, False)])
def test_one_half_is_exact_where_a_sigmoid_would_round(logit: float, halts: bool):
    view = view_of(torch.ones(1), torch.tensor([[logit, 0.0]]))
    assert Correctness().wants_to_halt(view).item() is halts


def test_the_loss_is_the_weighted_cross_entropy_of_being_right_and_reaches_halt_alone():
    values, correct = torch.randn(5, 2, requires_grad=True), torch.tensor([True, False, True, True, False])
    losses = Correctness(weight=0.25).losses(view_of(torch.ones(5), values), Outcome(correct, torch.zeros(5)))
    expected = 0.25 * F.binary_cross_entropy(values[:, 0].sigmoid(), correct.float(), reduction="sum")
    assert list(losses) == ["q_halt"]
    torch.testing.assert_close(losses["q_halt"], expected)
    (gradient,) = torch.autograd.grad(losses["q_halt"], values)
    assert gradient[:, 0].ne(0).all() and gradient[:, 1].eq(0).all()


def test_needs_no_second_forward_pass():
    assert not Correctness(max_segments=16).looks_ahead(0)
