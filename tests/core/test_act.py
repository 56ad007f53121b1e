"""One segment of adaptive computation: who halts, what is looked at ahead, what the loss is made of."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from views import view_of

from hrmlab.core.act import Step, objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM, Output
from hrmlab.embeddings import PuzzleConfig
from hrmlab.halting import Correctness, Fixed, HaltingConfig, HaltingView, Outcome, QLearning
from hrmlab.losses import IGNORE, SoftmaxCrossEntropy, StablemaxCrossEntropy
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]
Start = Callable[[HRM, Batch], Carry]


@dataclass(frozen=True, kw_only=True)
class Eager(HaltingConfig):
    """Wants to halt at once; not registered."""

    kind: Literal["eager"] = "eager"

    def readiness(self, view: HaltingView) -> Tensor:
        return torch.ones_like(view.steps, dtype=torch.float32)

    @property
    def cutoff(self) -> float:
        return 0.0


@pytest.fixture(scope="session")
def trio(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> tuple[HRM, Batch]:
    spec = make_spec()
    return make_model(spec, puzzle=PuzzleConfig(width=16, init_std=1.0)), make_batch(spec, 3)


def pick(batch: Batch, rows: list[int]) -> Batch:
    return Batch(batch.inputs[rows], batch.labels[rows], batch.identifiers[rows])


@pytest.mark.parametrize("longest", [1, 2, 5])
def test_fixed_slots_halt_exactly_at_the_longest(trio: tuple[HRM, Batch], start: Start, longest: int):
    model, batch = trio
    carry = start(model, batch)
    for number in range(1, longest + 1):
        carry = segment(model, carry, Fixed(max_segments=longest)).carry
        assert carry.steps.tolist() == [number] * 3
        assert carry.halted.tolist() == [number == longest] * 3


def test_an_eager_slot_waits_for_the_first_segment_it_may_halt_at_but_never_past_the_longest(
    trio: tuple[HRM, Batch], start: Start
):
    model, batch = trio
    carry = replace(start(model, batch), first_allowed=torch.tensor([1, 2, 9], dtype=torch.int32))
    halted = []
    for _ in range(3):
        carry = segment(model, carry, Eager(max_segments=3)).carry
        halted.append(carry.halted.tolist())
    assert halted == [[True, False, False], [True, True, False], [True, True, True]]


@pytest.mark.parametrize("halting", [QLearning(max_segments=3), Correctness(max_segments=3), Fixed(max_segments=3)])
def test_no_slot_ever_works_past_the_longest(trio: tuple[HRM, Batch], start: Start, halting: HaltingConfig):
    model, batch = trio
    carry = start(model, batch)
    for _ in range(7):
        carry = segment(model, carry, halting).carry
        assert int(carry.steps.max()) <= 3
        assert (carry.halted | (carry.steps < 3)).all()
        carry = carry.refill(model.initial_states(), batch, torch.full_like(carry.steps, 3))


def test_a_segment_starts_new_puzzles_from_the_initial_states_and_goes_on_with_the_others(
    trio: tuple[HRM, Batch], start: Start, make_batch: MakeBatch
):
    model, batch = trio
    offered = make_batch(model.spec, 3, seed=9)
    first = segment(model, start(model, batch), Fixed()).carry
    carry = replace(first, halted=torch.tensor([False, True, False]))
    mixed = segment(model, carry.refill(model.initial_states(), offered, first.first_allowed), Fixed())
    going_on, anew = segment(model, first, Fixed()), segment(model, start(model, offered), Fixed())
    for slot, source in enumerate((going_on, anew, going_on)):
        assert torch.equal(mixed.output.logits[slot], source.output.logits[slot])
        assert mixed.carry.steps[slot] == source.carry.steps[slot]
        for level, state in mixed.carry.states.items():
            assert torch.equal(state[slot], source.carry.states[level][slot])


def test_the_carry_is_cut_from_the_graph_and_the_output_is_not(trio: tuple[HRM, Batch], start: Start):
    model, batch = trio
    step = segment(model, start(model, batch), QLearning())
    for level, state in step.carry.states.items():
        assert state.grad_fn is None and not state.requires_grad
        assert torch.equal(state, step.output.states[level])
    assert step.output.logits.requires_grad and step.output.states["high"].requires_grad


def test_looking_ahead_gives_the_values_of_the_next_segment(trio: tuple[HRM, Batch], start: Start):
    model, batch = trio
    step = segment(model, start(model, batch), QLearning(max_segments=4))
    following = segment(model, step.carry, QLearning(max_segments=4))
    torch.testing.assert_close(step.view.ahead.values, following.output.values, atol=1e-5, rtol=1e-5)
    assert not torch.equal(step.view.ahead.values, step.view.values)
    assert not step.view.ahead.values.requires_grad


@pytest.mark.parametrize(
    ("halting", "grad"),
    [(QLearning(), False), (QLearning(max_segments=1), True), (Correctness(), True), (Fixed(), True)],
)
def test_nothing_is_looked_at_ahead_where_it_is_not_needed(
    trio: tuple[HRM, Batch], start: Start, halting: HaltingConfig, grad: bool
):
    model, batch = trio
    with torch.set_grad_enabled(grad):
        assert segment(model, start(model, batch), halting).view.ahead is None


def test_looking_ahead_changes_neither_output_nor_carry(trio: tuple[HRM, Batch], start: Start):
    model, batch = trio
    ahead, plain = (segment(model, start(model, batch), policy) for policy in (QLearning(), Fixed()))
    assert torch.equal(ahead.output.logits, plain.output.logits)
    assert all(torch.equal(state, plain.carry.states[level]) for level, state in ahead.carry.states.items())


@settings(max_examples=6)
@given(rows=st.lists(st.integers(0, 2), min_size=1, max_size=5), symbols=st.booleans())
def test_a_puzzles_outcome_does_not_depend_on_its_neighbours(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start, rows: list[int], symbols: bool
):
    spec = make_spec()
    model, batch = make_model(spec, symbols=symbols), make_batch(spec, 3)

    def outcome(some: Batch) -> list[Step]:
        carry, steps = start(model, some), []
        with torch.no_grad():
            for _ in range(2):
                steps.append(segment(model, carry, QLearning()))
                carry = steps[-1].carry
        return steps

    for alone, together in zip(outcome(batch), outcome(pick(batch, rows)), strict=True):
        torch.testing.assert_close(together.output.logits, alone.output.logits[rows], atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(together.output.values, alone.output.values[rows], atol=1e-5, rtol=1e-5)


def step_of(logits: Tensor, labels: Tensor, values: Tensor | None = None) -> Step:
    slots = len(labels)
    steps = torch.ones(slots, dtype=torch.int32)
    values = torch.zeros(slots, 2) if values is None else values
    batch = Batch(labels, labels, torch.zeros(slots, dtype=torch.int64))
    carry = Carry({}, steps, steps, steps.bool(), batch)
    return Step(carry, Output({}, logits, values, None, "high"), view_of(steps, values, logits=logits))


def test_measures_count_scored_cells_only():
    labels = torch.tensor([[2, 3, IGNORE], [2, 3, 1], [IGNORE] * 3])
    answers = torch.tensor([[2, 3, 0], [2, 0, 1], [1, 1, 1]])
    logits = torch.nn.functional.one_hot(answers, 4).float()
    goal = objective(step_of(logits, labels), SoftmaxCrossEntropy(), Fixed())
    assert goal.exact.tolist() == [True, False, False]
    torch.testing.assert_close(goal.cells, torch.tensor([1, 2 / 3, 0]))


def test_the_answers_loss_is_the_mean_over_scored_cells_summed_over_slots():
    labels = torch.tensor([[2, 3, IGNORE], [2, 3, 1], [IGNORE] * 3])
    logits = torch.randn(3, 3, 4)
    goal = objective(step_of(logits, labels), SoftmaxCrossEntropy(), Fixed())
    expected = sum(torch.nn.functional.cross_entropy(logits[i], labels[i]) for i in (0, 1))
    torch.testing.assert_close(goal.total, expected)
    assert list(goal.terms) == ["answer"]


def test_the_total_is_the_sum_of_the_terms_and_carries_the_gradient():
    labels = torch.randint(0, 4, (3, 5))
    logits, values = torch.randn(3, 5, 4, requires_grad=True), torch.randn(3, 2, requires_grad=True)
    goal = objective(step_of(logits, labels, values), StablemaxCrossEntropy(), Correctness())
    assert list(goal.terms) == ["answer", "q_halt"]
    torch.testing.assert_close(goal.total, goal.terms["answer"] + goal.terms["q_halt"])
    assert goal.total.requires_grad and not any(term.requires_grad for term in goal.terms.values())


def test_the_halting_loss_is_told_which_answers_are_wholly_right():
    labels = torch.tensor([[1, 2], [1, 2]])
    logits = torch.nn.functional.one_hot(torch.tensor([[1, 2], [1, 1]]), 4).float()
    values = torch.zeros(2, 2, requires_grad=True)
    objective(step_of(logits, labels, values), SoftmaxCrossEntropy(), Correctness(weight=1.0)).total.backward()
    assert values.grad[:, 0].tolist() == [-0.5, 0.5]  # towards "right" and towards "wrong"


@pytest.mark.parametrize("halting", [QLearning(), Correctness()])
def test_halting_losses_reach_the_values_of_this_segment_and_no_logits(
    trio: tuple[HRM, Batch], start: Start, halting: HaltingConfig
):
    model, batch = trio
    step = segment(model, start(model, batch), halting)
    loss = sum(halting.losses(step.view, Outcome(torch.tensor([True, False, True]), torch.zeros(3))).values())
    to_values, to_logits = torch.autograd.grad(loss, [step.output.values, step.output.logits], allow_unused=True)
    assert to_logits is None
    assert to_values[:, 0].ne(0).all()
    assert to_values[:, 1].ne(0).all() if halting.looks_ahead(0) else to_values[:, 1].eq(0).all()
