"""Several attempts at each puzzle, and one answer chosen without labels."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count as counting
from itertools import tee
from typing import Literal

import numpy as np

from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import HaltingConfig
from hrmlab.inference.stream import Answer, Puzzle, Solver
from hrmlab.inference.symmetry import Symmetry, draw_symmetry
from hrmlab.tasks.base import Task, Tokens

Vary = Literal["start", "noise", "symmetry", "none"]
Select = Literal["vote", "confidence", "first", "residual", "verifier"]
VARY: tuple[Vary, ...] = ("start", "noise", "symmetry", "none")
SELECT: tuple[Select, ...] = ("vote", "confidence", "first", "residual", "verifier")


@dataclass(frozen=True)
class Attempted:
    """What came of a puzzle after all attempts.

    chosen: the answer taken. tries: all of them, turned back to the puzzle as it came.
    segments: of all attempts together, as they were run.
    """

    chosen: Answer
    tries: tuple[Answer, ...]
    segments: int


class Ensemble:
    """K attempts at each puzzle with each of the models.

    vary: what makes attempts differ. "start": all but the first begin from random initial states, which a halting head
        may be wrong about that never saw such states (small boards, solved at once in training). "noise": all but the
        first have normal noise of deviation `noise` added to their states before every segment but the first (PTRM,
        arXiv 2605.19943). "symmetry": every attempt but the first sees the puzzle under a random symmetry of its task
        (useless for models that are equivariant under all of them). "none": only the models differ (checkpoint
        ensembles).
    select: "vote", the grid that most attempts give, ties to the larger sum of confidence; "confidence", the largest
        value of the halting head; "first", whichever halts first by its own choice (halt-first: a model's other
        attempts at the puzzle end as soon as they have run as long); "residual", the state most at rest; "verifier",
        one that obeys the task's rules, else by confidence. None of them reads labels.

    engines: what computes the segments, one for each model; None for the models themselves.

    Raises:
        ConfigError: no attempts, or a task without the symmetries asked for.
    """

    def __init__(
        self,
        models: Sequence[HRM],
        task: Task,
        halting: HaltingConfig,
        *,
        attempts: int = 4,
        vary: Vary = "start",
        select: Select = "vote",
        noise: float = 0.3,
        slots: int = 128,
        seed: int = 0,
        engines: Sequence[Eager] | None = None,
    ) -> None:
        if attempts < 1 or not models:
            raise ConfigError(f"attempts={attempts} with {len(models)} models; wanted 1 or more of both")
        self.augment = getattr(task, "augment", None)
        if vary == "symmetry" and self.augment is None:
            raise ConfigError(f"task '{task.kind}' has no symmetries to vary; wanted --vary start")
        self.task, self.attempts, self.vary, self.select = task, attempts, vary, select
        self.noise, self.seed = noise, seed
        self.solvers = [
            Solver(model, halting, slots=slots, check=task.valid, engine=engine)
            for model, engine in zip(models, engines or map(Eager, models), strict=True)
        ]

    def solve(self, puzzles: Iterable[Puzzle | Tokens]) -> Iterator[Attempted]:
        """Answers in the order of the puzzles."""
        copies = tee(puzzles, len(self.solvers))
        streams = [solver.solve(self._variants(copy)) for solver, copy in zip(self.solvers, copies, strict=True)]
        for number in counting():
            tries: list[Answer] = []
            for stream in streams:
                for attempt in range(self.attempts):
                    found = next(stream, None)
                    if found is None:
                        return
                    tries.append(self._back(found, number, attempt))
            yield self.choose(tries)

    def _variants(self, puzzles: Iterable[Puzzle | Tokens]) -> Iterator[Puzzle]:
        for number, puzzle in enumerate(puzzles):
            puzzle = puzzle if isinstance(puzzle, Puzzle) else Puzzle(np.asarray(puzzle))
            if self.select == "first":
                puzzle = replace(puzzle, group=number)
            for attempt in range(self.attempts):
                yield self._variant(puzzle, number, attempt)

    def _variant(self, puzzle: Puzzle, number: int, attempt: int) -> Puzzle:
        if attempt == 0 or self.vary == "none":
            return puzzle
        if self.vary in ("start", "noise"):
            seed = np.random.SeedSequence((self.seed, number, attempt)).generate_state(1)[0]
            return replace(puzzle, start=int(seed), noise=self.noise if self.vary == "noise" else 0.0)
        turn = self._symmetry(number, attempt)
        labels = puzzle.labels if puzzle.labels is None else turn.labels(puzzle.labels)
        return replace(puzzle, tokens=turn.apply(puzzle.tokens), labels=labels)

    def _symmetry(self, number: int, attempt: int) -> Symmetry:
        assert self.augment is not None
        spec = self.task.spec()
        rng = np.random.default_rng((self.seed, number, attempt))
        return draw_symmetry(self.augment, spec.seq_len, spec.vocab_size, rng)

    def _back(self, found: Answer, number: int, attempt: int) -> Answer:
        if attempt == 0 or self.vary != "symmetry":
            return found
        return replace(found, tokens=self._symmetry(number, attempt).undo(found.tokens))

    def choose(self, tries: Sequence[Answer]) -> Attempted:
        """One of several answers to the same puzzle."""
        if self.select == "first":
            best = min(tries, key=lambda found: (not found.halted, found.segments, -found.confidence))
        else:
            best = max(tries, key=self._score(tries))
        return Attempted(best, tuple(tries), sum(found.segments for found in tries))

    def _score(self, tries: Sequence[Answer]) -> Callable[[Answer], tuple[float, float]]:
        """What the chosen answer has most of; the first among equals."""
        if self.select == "confidence":
            return lambda found: (found.confidence, 0.0)
        if self.select == "residual":
            return lambda found: (-found.residual, 0.0)
        if self.select == "verifier":
            return lambda found: (float(bool(found.valid)), found.confidence)
        votes, trust = Counter[bytes](), Counter[bytes]()
        for found in tries:
            votes[found.tokens.tobytes()] += 1
            trust[found.tokens.tobytes()] += found.confidence  # type: ignore[assignment]
        return lambda found: (votes[found.tokens.tobytes()], trust[found.tokens.tobytes()])
