"""Whole sets of puzzles answered at once, as arrays."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.errors import DataError
from hrmlab.halting import Check, HaltingConfig
from hrmlab.inference.puzzles import puzzles_of
from hrmlab.inference.stream import Answer, Frame, Puzzle, Solver, Watch
from hrmlab.tasks.base import Examples, Tokens

__all__ = ["Answer", "Answers", "Frame", "Puzzle", "Solver", "Watch", "answer"]


@dataclass(frozen=True)
class Answers:
    """What a model answered to n puzzles, in their order.

    tokens: the grid at each puzzle's halt, (n, N).
    segments: segments until the halt, (n,).
    confidence: the halting head's probability of a right answer at the halt, (n,).
    halted: whether the policy itself chose to stop, (n,); False where the limit of segments did.
    right_by_segment: share of puzzles wholly right after each segment, with those halted held, (max_segments,).
    """

    tokens: Tokens
    segments: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    halted: npt.NDArray[np.bool_]
    right_by_segment: list[float]


def answer(
    model: HRM,
    examples: Examples,
    halting: HaltingConfig,
    batch_size: int = 128,
    *,
    check: Check | None = None,
    watch: Watch | None = None,
    progress: Callable[[int], None] | None = None,
    engine: Eager | None = None,
) -> Answers:
    """Run every puzzle until its halt, with the policy's restarts on the way.

    Args:
        examples: labels are only compared with; -100 everywhere if there are none.
        batch_size: slots; the answers depend on it by rounding only.
        check: the task's rules, for policies that ask for them.
        watch: sees every puzzle after every segment.
        progress: called with the number of puzzles just finished.
        engine: what computes the model's segments; None for the model itself.

    Raises:
        DataError: there are no puzzles.
    """
    count = len(examples)
    if not count:
        raise DataError("there are no puzzles to answer; wanted at least one")
    tokens: Tokens = np.zeros((count, examples.inputs.shape[1]), dtype=np.int32)
    segments, confidence = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.float64)
    halted, right = np.zeros(count, dtype=np.bool_), np.zeros(halting.max_segments, dtype=np.int64)
    solver = Solver(model, halting, slots=min(batch_size, count), check=check, watch=watch, engine=engine)
    for row, found in solver.as_they_halt(puzzles_of(examples)):
        tokens[row], segments[row] = found.tokens, found.segments
        confidence[row], halted[row] = found.confidence, found.halted
        right[: found.segments] += found.right
        right[found.segments :] += found.right[-1]
        if progress:
            progress(1)
    return Answers(tokens, segments, confidence, halted, [float(share) for share in right / count])
