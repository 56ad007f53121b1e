"""Accuracy of a model on held-out puzzles, segment by segment."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.errors import DataError
from hrmlab.halting import HaltingConfig
from hrmlab.inference.attempts import Ensemble
from hrmlab.inference.puzzles import puzzles_of
from hrmlab.inference.solver import Answers, answer
from hrmlab.intervals import wilson
from hrmlab.results import Scores
from hrmlab.tasks.base import IGNORE, Ballot, Examples, Task

__all__ = ["Answers", "Scores", "answer", "evaluate", "evaluate_attempts"]

SLAB = 16384
"""Puzzles whose answers are held at once. A larger set is answered slab by slab, each beginning with fresh slots."""


def evaluate(
    model: HRM,
    task: Task,
    examples: Examples,
    halting: HaltingConfig,
    *,
    batch_size: int = 128,
    progress: Callable[[int], None] | None = None,
    ballot: Ballot | None = None,
    engine: Eager | None = None,
    see: Callable[[Examples, Answers], None] | None = None,
    pool: Callable[[Any], list[Any]] | None = None,
) -> Scores:
    """Answer every puzzle and compare with its label and with the task's rules.

    Args:
        progress: called with the number of puzzles just finished.
        ballot: is given every answer, for tasks whose puzzles are answered by vote.
        engine: what computes the model's segments; None for the model itself.
        see: is given every answer too, slab by slab.
        pool: of several processes that have puzzles of their own: gives each what all of them counted. The scores are
            then those of all puzzles, the seconds those of the slowest.

    Raises:
        DataError: there are no puzzles.
    """
    count, seconds = len(examples), 0.0
    tally = _Tally(halting.max_segments)
    for at in range(0, count if pool is not None else max(count, 1), SLAB):
        slab = examples.part(slice(at, at + SLAB))
        start = time.perf_counter()
        answers = answer(model, slab, halting, batch_size, check=task.valid, progress=progress, engine=engine)
        seconds += time.perf_counter() - start
        tally.add(task, slab, answers)
        if ballot is not None:
            ballot.add(slab, answers.tokens, answers.confidence)
        if see is not None:
            see(slab, answers)
    if pool is not None:
        tallies, counts, times = zip(*pool((tally, count, seconds)), strict=True)
        tally, count, seconds = _Tally.total(tallies), sum(counts), max(times)
    return tally.scores(count, seconds)


def evaluate_attempts(
    ensemble: Ensemble,
    task: Task,
    examples: Examples,
    progress: Callable[[int], None] | None = None,
    *,
    see: Callable[[Examples, Answers], None] | None = None,
) -> tuple[Scores, float]:
    """Scores of the chosen answers, segments being those of all attempts together; and the share of puzzles that some
    attempt got right, which no rule without labels can know.

    Args:
        see: is given every chosen answer, one puzzle at a time.

    Raises:
        DataError: there are no puzzles.
    """
    if not len(examples):
        raise DataError("there are no puzzles to answer; wanted at least one")
    start = time.perf_counter()
    tally, any_right = _Tally(0), 0
    for row, attempted in enumerate(ensemble.solve(puzzles_of(examples))):
        labels = examples.labels[row]
        answers = attempted.chosen
        any_right += any(bool(((one.tokens == labels) | (labels == IGNORE)).all()) for one in attempted.tries)
        single = Answers(
            answers.tokens[None],
            np.array([attempted.segments]),
            np.array([answers.confidence]),
            np.array([answers.halted]),
            [],
        )
        puzzle = examples.part(slice(row, row + 1))
        tally.add(task, puzzle, single)
        if see is not None:
            see(puzzle, single)
        if progress:
            progress(1)
    return tally.scores(len(examples), time.perf_counter() - start), any_right / len(examples)


class _Tally:
    """Counts over the slabs. by_segment: puzzles right after each segment; segments: of each puzzle, by slab."""

    def __init__(self, longest: int) -> None:
        self.exact = self.valid = self.right = self.scored = 0
        self.by_segment = [0] * longest
        self.segments: list[npt.NDArray[np.int64]] = []

    def add(self, task: Task, examples: Examples, answers: Answers) -> None:
        scored = examples.labels != IGNORE
        right = (answers.tokens == examples.labels) & scored
        self.exact += int((right.sum(1) == scored.sum(1)).sum())
        self.valid += int(task.valid(examples.inputs, answers.tokens).sum())
        self.right += int(right.sum())
        self.scored += int(scored.sum())
        shares = zip(self.by_segment, answers.right_by_segment, strict=True)
        self.by_segment = [before + round(share * len(examples)) for before, share in shares]
        self.segments.append(answers.segments)

    @classmethod
    def total(cls, parts: Sequence["_Tally"]) -> "_Tally":
        """The counts of all."""
        total = cls(0)
        for name in ("exact", "valid", "right", "scored"):
            setattr(total, name, sum(getattr(part, name) for part in parts))
        total.by_segment = [sum(counts) for counts in zip(*(part.by_segment for part in parts), strict=True)]
        total.segments = [segments for part in parts for segments in part.segments]
        return total

    def scores(self, count: int, seconds: float) -> Scores:
        segments = np.concatenate(self.segments)
        return Scores(
            n=count,
            exact=self.exact / count,
            exact_interval=wilson(self.exact, count),
            cell=self.right / max(self.scored, 1),
            valid=self.valid / count,
            valid_interval=wilson(self.valid, count),
            mean_segments=float(segments.mean()),
            p95_segments=float(np.percentile(segments, 95)),
            by_segment=[right / count for right in self.by_segment],
            seconds=seconds,
            puzzles_per_second=count / max(seconds, 1e-9),
        )
