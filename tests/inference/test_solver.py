"""The solver: slots are refilled as puzzles halt, and that changes no answer."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM, Output
from hrmlab.errors import DataError
from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.inference.evaluate import evaluate
from hrmlab.inference.solver import Frame, answer
from hrmlab.spec import TaskSpec
from hrmlab.tasks import Sudoku
from hrmlab.tasks.base import IGNORE, Examples

COUNT = 11


@pytest.fixture
def model(make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec()).eval()


@pytest.fixture
def examples(model: HRM, make_batch: Callable[..., Batch]) -> Examples:
    batch = make_batch(model.spec, COUNT)
    parts = (part.numpy().astype(np.int32) for part in (batch.inputs, batch.labels, batch.identifiers))
    return Examples(*parts, rating=np.zeros(COUNT, np.int64))


@pytest.fixture
def torn(model: HRM, examples: Examples) -> HRM:
    """The model with a halting head that is undecided: after the first segment, half of these puzzles halt."""
    share = np.sort(answer(model, examples, Fixed(max_segments=1)).confidence)
    middle = float(np.log(share / (1 - share))[COUNT // 2 - 1 : COUNT // 2 + 1].mean())  # between two, not on one
    with torch.no_grad():
        bias = model.halting_head.linear.bias
        assert bias is not None
        bias[0] -= middle
    return model


def by_hand(model: HRM, examples: Examples, row: int, halting: HaltingConfig) -> tuple[np.ndarray, int]:
    """One puzzle alone, segment after segment."""
    parts = (examples.inputs, examples.labels, examples.identifiers)
    batch = Batch(*(torch.from_numpy(part[row : row + 1].astype(np.int64)) for part in parts))
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))
    while True:
        with torch.no_grad():
            step = segment(model, carry, halting)
        carry = step.carry
        if bool(carry.halted):
            return step.output.logits.argmax(-1)[0].numpy(), int(carry.steps)


@pytest.mark.parametrize("halting", [Fixed(max_segments=3), Correctness(max_segments=6), QLearning(max_segments=6)])
@pytest.mark.parametrize("slots", [1, 3, COUNT, 50])
def test_every_puzzle_is_answered_as_if_it_were_alone(
    torn: HRM, examples: Examples, halting: HaltingConfig, slots: int
) -> None:
    answers = answer(torn, examples, halting, batch_size=slots)
    for row in range(COUNT):
        tokens, segments = by_hand(torn, examples, row, halting)
        np.testing.assert_array_equal(answers.tokens[row], tokens)
        assert answers.segments[row] == segments


class FixedShapes(Eager):
    """An engine that would have to begin anew for another number of slots, and counts how many it saw."""

    fixed_shapes = True

    def __init__(self, model: HRM) -> None:
        super().__init__(model)
        self.slots: set[int] = set()

    def __call__(self, *arguments: Any) -> Output:
        self.slots.add(len(arguments[1]))
        return super().__call__(*arguments)


@pytest.mark.parametrize("slots", [3, COUNT, 50])
def test_an_engine_of_fixed_shapes_keeps_its_slots_and_answers_the_same(
    torn: HRM, examples: Examples, slots: int
) -> None:
    halting, seen = Correctness(max_segments=6, restart_every=2), []
    engine = FixedShapes(torn)
    came = answer(torn, examples, halting, batch_size=slots, engine=engine, watch=seen.append)
    want = answer(torn, examples, halting, batch_size=slots)
    assert engine.slots == {min(slots, COUNT)}
    np.testing.assert_array_equal(came.tokens, want.tokens)
    np.testing.assert_array_equal(came.segments, want.segments)
    assert came.right_by_segment == want.right_by_segment
    assert {frame.puzzle for frame in seen} == set(range(COUNT))
    assert len(seen) == came.segments.sum()


def test_halting_differs_between_puzzles_so_that_slots_are_refilled(torn: HRM, examples: Examples) -> None:
    segments = answer(torn, examples, Correctness(max_segments=6), batch_size=3).segments
    assert len(set(segments.tolist())) > 1, "the test above would prove nothing"


def test_the_reason_for_stopping_is_told_apart(model: HRM, examples: Examples) -> None:
    assert not answer(model, examples, Fixed(max_segments=2)).halted.any()
    eager = answer(model, examples, Correctness(max_segments=4, threshold=0.0))
    assert eager.halted.all() and (eager.segments == 1).all()
    never = answer(model, examples, Correctness(max_segments=4, threshold=1.0))
    assert not never.halted.any() and (never.segments == 4).all()


def test_accuracy_by_segment_holds_what_has_halted(model: HRM, examples: Examples) -> None:
    halting = Correctness(max_segments=5, threshold=0.0)
    first = answer(model, examples, halting)
    known = replace(examples, labels=first.tokens)
    assert answer(model, known, halting).right_by_segment == [1.0] * 5


def test_a_watcher_sees_every_segment_of_every_puzzle(model: HRM, examples: Examples) -> None:
    frames: list[Frame] = []
    answers = answer(model, examples, Fixed(max_segments=3), batch_size=4, watch=frames.append)
    assert sorted((f.puzzle, f.segment) for f in frames) == [(p, s) for p in range(COUNT) for s in (1, 2, 3)]
    for frame in frames:
        assert frame.done == (frame.segment == 3)
        if frame.done:
            np.testing.assert_array_equal(frame.tokens, answers.tokens[frame.puzzle])


def test_progress_adds_up(model: HRM, examples: Examples) -> None:
    counts: list[int] = []
    answer(model, examples, Fixed(max_segments=2), batch_size=4, progress=counts.append)
    assert sum(counts) == COUNT


def test_no_puzzles_are_a_clear_error(model: HRM, examples: Examples) -> None:
    none = Examples(examples.inputs[:0], examples.labels[:0], examples.identifiers[:0], examples.rating[:0])
    with pytest.raises(DataError, match="no puzzles"):
        answer(model, none, Fixed())


def test_scores_are_what_the_answers_say(make_model: Callable[..., HRM]) -> None:
    task = Sudoku(box_rows=2, box_cols=2)
    examples = task.generate(0, 12, 0).test
    model = make_model(task.spec()).eval()
    halting = Fixed(max_segments=2)
    wrong = evaluate(model, task, examples, halting)
    assert (wrong.n, wrong.exact, wrong.mean_segments, wrong.p95_segments) == (12, 0.0, 2.0, 2.0)
    assert wrong.exact_interval[0] == 0.0 and 0.2 < wrong.exact_interval[1] < 0.3
    given = answer(model, examples, halting).tokens
    assert wrong.cell == pytest.approx((given == examples.labels).mean())
    half = examples.labels.copy()
    half[:6] = given[:6]
    half[6:, ::2] = IGNORE
    scores = evaluate(model, task, replace(examples, labels=half), halting)
    assert scores.exact == pytest.approx(0.5, abs=0.1)
    assert scores.by_segment[-1] == scores.exact


@pytest.mark.parametrize("slots", [1, 3, COUNT])
def test_restarts_do_not_depend_on_the_number_of_slots(model: HRM, examples: Examples, slots: int) -> None:
    policy = Fixed(max_segments=5, restart_every=2)
    together, apart = answer(model, examples, policy), answer(model, examples, policy, batch_size=slots)
    np.testing.assert_array_equal(together.tokens, apart.tokens)
    np.testing.assert_allclose(together.confidence, apart.confidence, rtol=1e-5)


def test_a_restart_forgets_and_leaves_what_came_before_alone(model: HRM, examples: Examples) -> None:
    def confidences(**fields: int) -> dict[tuple[int, int], float]:
        seen: dict[tuple[int, int], float] = {}
        policy = Fixed(max_segments=4, **fields)
        answer(model, examples, policy, watch=lambda f: seen.__setitem__((f.puzzle, f.segment), f.confidence))
        return seen

    plain, again = confidences(), confidences(restart_every=2)
    for row in range(COUNT):
        assert [plain[row, at] for at in (1, 2)] == [again[row, at] for at in (1, 2)]
        assert again[row, 3] not in (plain[row, 3], plain[row, 1])  # neither going on, nor the same start once more


def test_a_puzzle_that_halts_in_time_is_not_restarted(torn: HRM, examples: Examples) -> None:
    plain = answer(torn, examples, Correctness(max_segments=6))
    again = answer(torn, examples, Correctness(max_segments=6, restart_every=1))
    early = plain.segments == 1
    assert 0 < early.sum() < COUNT
    np.testing.assert_array_equal(plain.tokens[early], again.tokens[early])
