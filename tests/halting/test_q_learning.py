"""Q-learning: targets, the last segment, what halts, whom the losses reach."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hrmlab.halting import HaltingView, QLearning

logits = st.floats(-8, 8, width=32)
slots = st.lists(st.tuples(st.integers(1, 4), logits, logits, logits, logits, st.booleans()), min_size=1, max_size=5)


def view_of(rows: list[tuple]) -> tuple[HaltingView, Tensor]:
    numbers = torch.tensor([row[1:5] for row in rows])
    steps = torch.tensor([row[0] for row in rows], dtype=torch.int32)
    return HaltingView(steps, numbers[:, :2], numbers[:, 2:]), torch.tensor([row[5] for row in rows])


@given(rows=slots)
def test_the_target_of_continue_is_the_better_next_value_or_halt_where_none_may_follow(rows: list[tuple]):
    view, _ = view_of(rows)
    expected = [torch.tensor(halt if step >= 4 else max(halt, go_on)).sigmoid() for step, _, _, halt, go_on, _ in rows]
    torch.testing.assert_close(QLearning(max_segments=4).continue_target(view), torch.stack(expected))


def test_the_last_segments_target_ignores_a_better_continue():
    view = HaltingView(torch.tensor([3, 4]), torch.zeros(2, 2), torch.tensor([[-1.0, 5.0], [-1.0, 5.0]]))
    target = QLearning(max_segments=4).continue_target(view)
    torch.testing.assert_close(target, torch.tensor([5.0, -1.0]).sigmoid())


@given(rows=slots, weight=st.floats(0.1, 2))
def test_losses_are_weighted_sums_of_binary_cross_entropies(rows: list[tuple], weight: float):
    view, correct = view_of(rows)
    policy = QLearning(max_segments=4, weight=weight)
    losses = policy.losses(view, correct)
    target = policy.continue_target(view).double()
    halt, go_on = view.values.double().sigmoid().unbind(-1)
    right = correct.double()
    torch.testing.assert_close(
        losses["q_halt"].double(), weight * F.binary_cross_entropy(halt, right, reduction="sum"), rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(
        losses["q_continue"].double(),
        weight * F.binary_cross_entropy(go_on, target, reduction="sum"),
        rtol=1e-4,
        atol=1e-5,
    )


def test_without_a_look_ahead_only_halt_is_learned():
    view = HaltingView(torch.tensor([1]), torch.zeros(1, 2))
    assert set(QLearning().losses(view, torch.tensor([True]))) == {"q_halt"}


@pytest.mark.parametrize(("longest", "ahead"), [(1, False), (2, True), (16, True)])
def test_looks_ahead_only_where_a_segment_may_follow(longest: int, ahead: bool):
    assert QLearning(max_segments=longest).looks_ahead is ahead


def test_halts_where_halting_is_worth_more_than_going_on():
    values = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert QLearning().wants_to_halt(HaltingView(torch.ones(3), values)).tolist() == [True, False, False]


def test_the_gradient_of_each_loss_reaches_its_own_value_alone():
    values = torch.randn(4, 2, requires_grad=True)
    view = HaltingView(torch.ones(4, dtype=torch.int32), values, torch.randn(4, 2))
    losses = QLearning().losses(view, torch.tensor([True, False, True, False]))
    (halt,) = torch.autograd.grad(losses["q_halt"], values)
    (go_on,) = torch.autograd.grad(losses["q_continue"], values)
    assert halt[:, 0].ne(0).all() and halt[:, 1].eq(0).all()
    assert go_on[:, 1].ne(0).all() and go_on[:, 0].eq(0).all()
