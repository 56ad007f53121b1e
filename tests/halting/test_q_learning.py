"""Q-learning: targets, the last segment, what halts, whom the losses reach."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from views import view_of

from hrmlab.halting import HaltingView, Outcome, QLearning

logits = st.floats(-8, 8, width=32)
slots = st.lists(st.tuples(st.integers(1, 4), logits, logits, logits, logits, st.booleans()), min_size=1, max_size=5)


def rows_of(rows: list[tuple]) -> tuple[HaltingView, Outcome]:
    numbers = torch.tensor([row[1:5] for row in rows])
    steps = torch.tensor([row[0] for row in rows], dtype=torch.int32)
    correct = torch.tensor([row[5] for row in rows])
    return view_of(steps, numbers[:, :2], ahead=numbers[:, 2:]), Outcome(correct, torch.zeros(len(rows)))


@given(rows=slots)
def test_the_target_of_continue_is_the_better_next_value_or_halt_where_none_may_follow(rows: list[tuple]):
    view, _ = rows_of(rows)
    expected = [torch.tensor(halt if step >= 4 else max(halt, go_on)).sigmoid() for step, _, _, halt, go_on, _ in rows]
    torch.testing.assert_close(QLearning(max_segments=4).continue_target(view), torch.stack(expected))


def test_the_last_segments_target_ignores_a_better_continue():
    view = view_of(torch.tensor([3, 4]), torch.zeros(2, 2), ahead=torch.tensor([[-1.0, 5.0], [-1.0, 5.0]]))
    target = QLearning(max_segments=4).continue_target(view)
    torch.testing.assert_close(target, torch.tensor([5.0, -1.0]).sigmoid())


@given(rows=slots, weight=st.floats(0.1, 2))
def test_losses_are_weighted_sums_of_binary_cross_entropies(rows: list[tuple], weight: float):
    view, outcome = rows_of(rows)
    policy = QLearning(max_segments=4, weight=weight)
    losses = policy.losses(view, outcome)
    target = policy.continue_target(view).double()
    halt, go_on = view.values.double().sigmoid().unbind(-1)
    right = outcome.correct.double()
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
    view = view_of(torch.tensor([1]), torch.zeros(1, 2))
    assert set(QLearning().losses(view, Outcome(torch.tensor([True]), torch.zeros(1)))) == {"q_halt"}


@pytest.mark.parametrize(("longest", "ahead"), [(1, False), (2, True), (16, True)])
def test_looks_ahead_only_where_a_segment_may_follow(longest: int, ahead: bool):
    assert QLearning(max_segments=longest).looks_ahead(0) is ahead


def test_halts_where_halting_is_worth_more_than_going_on():
    values = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]])
    assert QLearning().wants_to_halt(view_of(torch.ones(3), values)).tolist() == [True, False, False]


def test_the_gradient_of_each_loss_reaches_its_own_value_alone():
    values = torch.randn(4, 2, requires_grad=True)
    view = view_of(torch.ones(4, dtype=torch.int32), values, ahead=torch.randn(4, 2))
    losses = QLearning().losses(view, Outcome(torch.tensor([True, False, True, False]), torch.zeros(4)))
    (halt,) = torch.autograd.grad(losses["q_halt"], values)
    (go_on,) = torch.autograd.grad(losses["q_continue"], values)
    assert halt[:, 0].ne(0).all() and halt[:, 1].eq(0).all()
    assert go_on[:, 1].ne(0).all() and go_on[:, 0].eq(0).all()


def test_the_target_can_be_looked_up_every_few_steps_only():
    policy = QLearning(target_every=3)
    assert [policy.looks_ahead(step) for step in range(7)] == [True, False, False, True, False, False, True]
    assert not QLearning(bellman="trajectory").looks_ahead(0) and QLearning(bellman="trajectory").looks_back


def test_on_the_trajectory_the_segment_before_learns_from_this_one():
    earlier = torch.randn(3, 2, requires_grad=True)
    values = torch.tensor([[0.5, 2.0], [0.5, 2.0], [0.5, 2.0]], requires_grad=True)
    view = view_of(torch.tensor([1, 2, 4]), values, earlier=earlier)
    outcome = Outcome(torch.tensor([True, False, True]), torch.zeros(3))
    losses = QLearning(max_segments=4, bellman="trajectory", weight=1.0).losses(view, outcome)
    targets = torch.tensor(
        [2.0, 0.5]
    ).sigmoid()  # the better of both; at the limit Q(halt) alone; the first says nothing
    wanted = F.binary_cross_entropy_with_logits(earlier[1:, 1], targets, reduction="sum")
    torch.testing.assert_close(losses["q_continue"], wanted)
    to_earlier, to_values = torch.autograd.grad(losses["q_continue"], [earlier, values], allow_unused=True)
    assert to_earlier[0].eq(0).all() and to_earlier[1:, 1].ne(0).all() and to_earlier[:, 0].eq(0).all()
    assert to_values is None


def test_continue_may_weigh_otherwise_and_a_margin_asks_for_more():
    view = view_of(torch.tensor([1]), torch.tensor([[0.4, -0.2]]), ahead=torch.tensor([[0.1, 0.3]]))
    outcome = Outcome(torch.tensor([True]), torch.zeros(1))
    plain, other = (QLearning(weight=1.0, continue_weight=w).losses(view, outcome) for w in (None, 0.25))
    assert other["q_halt"] == plain["q_halt"]
    torch.testing.assert_close(other["q_continue"], 0.25 * plain["q_continue"])
    assert [QLearning(margin=m).wants_to_halt(view).item() for m in (0.0, 0.5, 0.7)] == [True, True, False]
    assert QLearning().at(0.7).margin == QLearning().at(0.7).cutoff == 0.7
