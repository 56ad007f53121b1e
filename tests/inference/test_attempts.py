"""Several attempts, one answer, no labels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hrmlab.api.targets import find_run
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import Correctness, Fixed
from hrmlab.inference.attempts import SELECT, Attempted, Ensemble, Select
from hrmlab.inference.stream import Answer, Solver
from hrmlab.tasks import Sudoku, Table

TASK = Sudoku(box_rows=2, box_cols=2)


@pytest.fixture(scope="module")
def model() -> HRM:
    import torch

    return find_run("sudoku-4x4").load(torch.device("cpu"))


@pytest.fixture(scope="module")
def boards() -> np.ndarray:
    return TASK.generate(0, 12, seed=5).test.inputs


def found(grid: list[int], confidence: float, segments: int, halted: bool = True, residual: float = 0.5) -> Answer:
    return Answer(np.array(grid, np.int32), segments, confidence, halted, residual, np.zeros(segments, bool))


TRIES = [
    found([1, 1], 0.2, 5, residual=0.3),
    found([2, 2], 0.9, 4, halted=False, residual=0.2),
    found([1, 1], 0.3, 3, residual=0.4),
    found([3, 3], 0.8, 2, residual=0.9),
]


@pytest.mark.parametrize(
    ("select", "chosen", "segments"),
    [("vote", [1, 1], 14), ("confidence", [2, 2], 14), ("first", [3, 3], 14), ("residual", [2, 2], 14)],
)
def test_the_answer_is_chosen_as_named(model: HRM, select: Select, chosen: list[int], segments: int) -> None:
    ensemble = Ensemble([model], TASK, Fixed(max_segments=5), attempts=4, select=select)
    came = ensemble.choose(TRIES)
    assert came.chosen.tokens.tolist() == chosen and came.segments == segments


def test_the_verifier_takes_what_obeys_the_rules(model: HRM) -> None:
    tries = [replace(found([1, 1], 0.9, 1), valid=False), replace(found([2, 2], 0.1, 1), valid=True)]
    ensemble = Ensemble([model], TASK, Fixed(max_segments=1), attempts=2, select="verifier")
    assert ensemble.choose(tries).chosen is tries[1]
    assert ensemble.choose(tries[:1] * 2).chosen is tries[0]  # none obeys: the surest


@pytest.mark.parametrize("slots", [1, 3, 64])
def test_the_first_to_halt_ends_the_others_and_is_the_one_that_would_have_been_first(
    make_model: Callable[..., HRM], boards: np.ndarray, slots: int
) -> None:
    """Halt-first saves the segments of those overtaken, and chooses as if all had run to their own halts."""
    model = make_model(TASK.spec()).eval()
    firsts = [a.confidence for a in Solver(model, Fixed(max_segments=1)).solve(boards)]
    rule = Correctness(max_segments=7, threshold=float(np.median(firsts)))
    racing = list(Ensemble([model], TASK, rule, attempts=3, select="first", slots=slots).solve(boards))
    whole = list(Ensemble([model], TASK, rule, attempts=3, select="vote", slots=64).solve(boards))
    reasons = {one.reason for race in racing for one in race.tries}
    assert "overtaken" in reasons and "halted" in reasons
    for race, full in zip(racing, whole, strict=True):
        best = min(full.tries, key=lambda one: (not one.halted, one.segments, -one.confidence))
        np.testing.assert_array_equal(race.chosen.tokens, best.tokens)
        assert (race.chosen.segments, race.chosen.halted) == (best.segments, best.halted)
        for mine, own in zip(race.tries, full.tries, strict=True):
            assert mine.segments <= own.segments and (mine.overtaken or mine.segments == own.segments)
            assert not mine.overtaken or mine.segments >= best.segments
    assert sum(race.segments for race in racing) < sum(full.segments for full in whole)


@pytest.mark.parametrize("select", SELECT)
@pytest.mark.parametrize("vary", ["start", "noise", "symmetry"])
def test_attempts_answer_the_puzzle_as_it_came(model: HRM, boards: np.ndarray, vary: str, select: Select) -> None:
    policy = Correctness(max_segments=8)
    ensemble = Ensemble([model], TASK, policy, attempts=3, vary=vary, select=select, slots=5)
    came: list[Attempted] = list(ensemble.solve(boards))
    assert len(came) == len(boards)
    for plain, attempted in zip(Solver(model, policy).solve(boards), came, strict=True):
        assert len(attempted.tries) == 3
        np.testing.assert_array_equal(attempted.tries[0].tokens, plain.tokens)
    if vary == "symmetry" or select == "verifier":  # from random states these weights are sure of wrong answers
        assert TASK.valid(boards, np.stack([a.chosen.tokens for a in came])).mean() >= 0.9


def test_checkpoints_vote_together(model: HRM, boards: np.ndarray) -> None:
    ensemble = Ensemble([model, model], TASK, Correctness(max_segments=8), attempts=1, vary="none")
    alone = list(Solver(model, Correctness(max_segments=8)).solve(boards))
    for one, both in zip(alone, ensemble.solve(iter(boards)), strict=True):
        assert len(both.tries) == 2 and both.segments == 2 * one.segments
        np.testing.assert_array_equal(both.chosen.tokens, one.tokens)


def test_what_cannot_vary_is_refused(model: HRM) -> None:
    with pytest.raises(ConfigError, match="no symmetries"):
        Ensemble([model], Table(vocabulary="abc", length=4), Fixed(), vary="symmetry")
    with pytest.raises(ConfigError, match="attempts=0"):
        Ensemble([model], TASK, Fixed(), attempts=0)
