"""Inference that stops: puzzles stream in, a slot takes the next as soon as its own has halted, answers stream out."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch

from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.halting import Check, Fixed, HaltingConfig
from hrmlab.inference.puzzles import Answer, Frame, Puzzle, Watch
from hrmlab.inference.slots import Slots
from hrmlab.tasks.base import Tokens

__all__ = ["Answer", "Frame", "Puzzle", "Solver", "Watch"]


class Solver:
    """A model with a halting policy, ready for any number of puzzles in constant memory.

    What a puzzle is answered with depends neither on its neighbours nor on the number of slots but for rounding: in
    float32 the last digits of matrix products depend on the shape of the batch. On the shipped weights the confidence
    differs by less than 1e-4 and grids and segments are the same, unless a decision hangs on these digits.
    (`global_budget` is the exception, by what it is.)

    Args:
        model: in evaluation mode, on its device.
        halting: None runs everyone for 16 segments, as the paper's code evaluates.
        slots: puzzles worked on at once.
        check: the task's rules, for policies that ask for them and for `Answer.valid`; usually `task.valid`.
        watch: sees every puzzle after every segment.
        engine: what computes the segments of this model; None for the model itself. An engine of fixed shapes keeps
            slots open, and computes them for nobody, once puzzles run out.
    """

    def __init__(
        self,
        model: HRM,
        halting: HaltingConfig | None = None,
        *,
        slots: int = 128,
        check: Check | None = None,
        watch: Watch | None = None,
        engine: Eager | None = None,
    ) -> None:
        self.model, self.halting, self.slots = model, halting or Fixed(max_segments=16), slots
        self.check, self.watch = check, watch
        self.engine = Eager(model) if engine is None else engine

    def solve(self, puzzles: Iterable[Puzzle | Tokens]) -> Iterator[Answer]:
        """Answers in the order of the puzzles, each as soon as it and all before it are done."""
        waiting: dict[int, Answer] = {}
        due = 0
        for number, answer in self.as_they_halt(puzzles):
            waiting[number] = answer
            while due in waiting:
                yield waiting.pop(due)
                due += 1

    def open(self, source: Iterator[tuple[int, Puzzle]]) -> Slots:
        """The slots, for whoever turns them himself; numbers and puzzles come from the source."""
        return Slots(self.engine, self.halting, source, self.slots, self.check, self.watch)

    def as_they_halt(self, puzzles: Iterable[Puzzle | Tokens]) -> Iterator[tuple[int, Answer]]:
        """(number of the puzzle, answer), the quick ones first."""
        source = (p if isinstance(p, Puzzle) else Puzzle(np.asarray(p)) for p in puzzles)
        work = self.open(enumerate(source))
        while True:
            with torch.inference_mode():  # not around the yield: the caller's own computations are none of ours
                if not work.refill():
                    return
                finished = work.advance()
            yield from finished
