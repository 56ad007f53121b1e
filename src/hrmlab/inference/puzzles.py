"""What goes into the solver, and what comes out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.base import Examples, Tokens

Reason = Literal["halted", "limit", "overtaken"]


@dataclass(frozen=True)
class Puzzle:
    """A question.

    tokens: (N,). labels: (N,), to compare with, or None. identifier: row of the puzzle table.
    start: seed of random states to begin from; None begins from the model's own.
    noise: deviation of the normal noise, drawn from `start`, that is added to the states before every segment but the
        first; 0 for none.
    group: attempts that race, the numbers not falling from puzzle to puzzle: once one has halted by its own choice, the
        others end as soon as they have run as long. None races with nobody.
    """

    tokens: Tokens
    labels: Tokens | None = None
    identifier: int = 0
    start: int | None = None
    noise: float = 0.0
    group: int | None = None


def puzzles_of(examples: Examples) -> Iterator[Puzzle]:
    """The examples one by one, with their labels."""
    parts = (examples.inputs, examples.labels, examples.identifiers)
    return (Puzzle(inputs, labels, int(name)) for inputs, labels, name in zip(*parts, strict=True))


@dataclass(frozen=True)
class Answer:
    """What came of one puzzle.

    tokens: the grid at the halt, (N,).
    segments: segments until then.
    confidence: the halting head's probability of a right answer at the halt.
    halted: whether the policy chose to stop; False where the limit of segments did, or another attempt.
    residual: relative change of the answer level's state in the last segment, |z - z'| / |z|.
    right: after each segment, whether every labelled cell was right, (segments,); meaningless without labels.
    valid: whether the grid obeys the task's rules; None where the solver was given none.
    overtaken: whether another attempt of its group had halted first.
    """

    tokens: Tokens
    segments: int
    confidence: float
    halted: bool
    residual: float
    right: npt.NDArray[np.bool_]
    valid: bool | None = None
    overtaken: bool = False

    @property
    def reason(self) -> Reason:
        """Why it stopped."""
        return "halted" if self.halted else "overtaken" if self.overtaken else "limit"


@dataclass(frozen=True)
class Frame:
    """One puzzle after one segment, for whoever watches. puzzle: its number, from 0; tokens: the grid now, (N,)."""

    puzzle: int
    segment: int
    tokens: Tokens
    confidence: float
    done: bool


Watch = Callable[[Frame], None]
