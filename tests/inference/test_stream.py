"""Puzzles stream through slots: in order, lazily, in constant memory, whoever the neighbours are."""

import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from hrmlab.core.model import HRM
from hrmlab.halting import Correctness, Fixed, HaltingConfig, SampledDepth
from hrmlab.inference.stream import Puzzle, Solver
from hrmlab.spec import TaskSpec

COUNT = 23


@pytest.fixture
def model(make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec()).eval()


@pytest.fixture
def boards(model: HRM) -> np.ndarray:
    return np.random.default_rng(0).integers(1, model.spec.vocab_size, (COUNT, model.spec.seq_len)).astype(np.int32)


@pytest.fixture
def torn(model: HRM, boards: np.ndarray) -> HaltingConfig:
    """A threshold over which some of the boards halt early and others never do."""
    firsts = sorted(a.confidence for a in Solver(model, Fixed(max_segments=1)).solve(boards))
    between = (firsts[COUNT // 2] + firsts[COUNT // 2 + 1]) / 2
    return Correctness(max_segments=6, threshold=between, restart_every=3)


@pytest.mark.parametrize("slots", [1, 4, 64])
def test_answers_come_in_order_whoever_the_neighbours_are(
    model: HRM, boards: np.ndarray, torn: HaltingConfig, slots: int
) -> None:
    alone = [next(Solver(model, torn).solve([board])) for board in boards]
    order = np.random.default_rng(slots).permutation(COUNT)
    together = list(Solver(model, torn, slots=slots).solve(boards[order]))
    assert len({a.segments for a in alone}) > 1
    for found, row in zip(together, order.tolist(), strict=True):
        np.testing.assert_array_equal(found.tokens, alone[row].tokens)
        assert (found.segments, found.halted) == (alone[row].segments, alone[row].halted)
        assert found.confidence == pytest.approx(alone[row].confidence, rel=1e-5)
        assert found.residual == pytest.approx(alone[row].residual, rel=1e-4)


def test_puzzles_are_taken_as_slots_fall_free(model: HRM, boards: np.ndarray) -> None:
    taken: list[int] = []

    def source() -> Iterator[np.ndarray]:
        for number, board in enumerate(boards):
            taken.append(number)
            yield board

    answers = Solver(model, Fixed(max_segments=2), slots=4).solve(source())
    next(answers)
    assert len(taken) == 4
    assert len(list(answers)) == COUNT - 1 and taken == list(range(COUNT))


def test_nothing_comes_of_nothing(model: HRM) -> None:
    assert list(Solver(model, Fixed(max_segments=2)).solve([])) == []


def test_labels_tell_when_an_answer_was_right(model: HRM, boards: np.ndarray) -> None:
    policy = Fixed(max_segments=3)
    grids = [a.tokens for a in Solver(model, policy).solve(boards)]
    asked = [Puzzle(board, labels=grid) for board, grid in zip(boards, grids, strict=True)]
    for found in Solver(model, policy, slots=5).solve(asked):
        assert found.right.shape == (3,) and found.right[-1]


def test_a_random_start_is_another_start_and_repeats(model: HRM, boards: np.ndarray) -> None:
    policy = Fixed(max_segments=2)
    own, first, again, other = (
        next(Solver(model, policy, slots=3).solve([Puzzle(boards[0], start=start)])).confidence
        for start in (None, 1, 1, 2)
    )
    assert first == again and len({own, first, other}) == 3
    mixed = [Puzzle(board, start=1 if row % 2 else None) for row, board in enumerate(boards)]
    beside = list(Solver(model, policy, slots=4).solve([*mixed, Puzzle(boards[0], start=1)]))
    assert beside[-1].confidence == pytest.approx(first, rel=1e-5)
    assert beside[0].confidence == pytest.approx(own, rel=1e-5)


def test_every_restart_is_another_one(model: HRM, boards: np.ndarray) -> None:
    seen: list[float] = []
    solver = Solver(
        model, Fixed(max_segments=8, restart_every=2), watch=lambda frame: seen.append(round(frame.confidence, 6))
    )
    list(solver.solve(boards[:1]))
    assert len({tuple(seen[at : at + 2]) for at in range(0, 8, 2)}) == 4


def test_a_policy_without_a_generator_runs_to_its_end(model: HRM, boards: np.ndarray) -> None:
    assert {a.segments for a in Solver(model, SampledDepth(max_segments=3)).solve(boards)} == {3}


def test_answers_say_why_they_stopped_and_whether_they_hold(model: HRM, boards: np.ndarray) -> None:
    def even(inputs: np.ndarray, answers: np.ndarray) -> np.ndarray:
        assert inputs.shape == answers.shape
        return answers.sum(-1) % 2 == 0

    eager = list(Solver(model, Correctness(max_segments=3, threshold=0.0), check=even).solve(boards))
    assert {a.reason for a in eager} == {"halted"}
    assert [a.valid for a in eager] == [bool(a.tokens.sum() % 2 == 0) for a in eager]
    assert {(a.reason, a.valid) for a in Solver(model, Fixed(max_segments=2)).solve(boards)} == {("limit", None)}


def test_without_a_rule_everyone_takes_the_sixteen_segments_of_the_paper(model: HRM, boards: np.ndarray) -> None:
    assert [a.segments for a in Solver(model).solve(boards[:3])] == [16] * 3


def test_noise_repeats_is_anothers_nothing_and_begins_after_the_first_segment(model: HRM, boards: np.ndarray) -> None:
    def last(segments: int, *asked: Puzzle) -> list[float]:
        return [a.confidence for a in Solver(model, Fixed(max_segments=segments), slots=4).solve(asked)]

    plain, noisy, other = (Puzzle(boards[0], start=seed, noise=size) for seed, size in ((None, 0), (1, 0.5), (2, 0.5)))
    assert len({round(c, 6) for c in last(1, plain, noisy, other)}) == 1
    beside = last(3, noisy, plain, other, *(Puzzle(board) for board in boards))
    assert len({round(c, 6) for c in beside[:3]}) == 3
    assert last(3, noisy) == pytest.approx(beside[:1], rel=1e-5)
    assert last(3, plain) == pytest.approx(beside[1:2], rel=1e-5)


def test_shipped_weights_answer_shuffled_puzzles_the_same() -> None:
    """The bound that the solver states: 1e-4 on the confidence, grids and segments the same."""
    import torch

    from hrmlab.api.puzzles import first, held_out
    from hrmlab.api.targets import find_run

    found = find_run("sudoku-6x6")
    model, puzzles = found.load(torch.device("cpu")), first(held_out(found.config, quiet=True)[0], 40).inputs
    rule = Correctness(max_segments=16, threshold=0.9)
    plain = list(Solver(model, rule, slots=40).solve(puzzles))
    for slots in (3, 16):
        order = np.random.default_rng(slots).permutation(len(puzzles))
        for row, found_now in zip(order.tolist(), Solver(model, rule, slots=slots).solve(puzzles[order]), strict=True):
            np.testing.assert_array_equal(found_now.tokens, plain[row].tokens)
            assert found_now.segments == plain[row].segments
            assert found_now.confidence == pytest.approx(plain[row].confidence, abs=1e-4)


def test_ten_thousand_puzzles_take_no_more_memory_than_one_thousand(make_model: Callable[..., HRM]) -> None:
    """Answers that were kept would be told apart: 10,000 of them take over five megabytes."""
    from hrmlab.tasks import Sudoku

    task = Sudoku(box_rows=2, box_cols=2)
    model = make_model(task.spec()).eval()
    known = task.generate(0, 32, seed=1).test.inputs

    def peak(count: int) -> tuple[int, int]:
        tracemalloc.start()
        answered = 0
        for answer in Solver(model, Fixed(max_segments=1), slots=256).solve(known[n % 32] for n in range(count)):
            answered += answer.segments
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most, answered

    peak(600)  # what is made once is not counted
    few, many = peak(1000), peak(10_000)
    assert (few[1], many[1]) == (1000, 10_000)
    assert many[0] < few[0] + 500_000
