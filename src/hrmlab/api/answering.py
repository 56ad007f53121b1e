"""From puzzles to solutions: one attempt or several, drawn or not, in order and one at a time."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from hrmlab.core.eager import Eager
from hrmlab.errors import ConfigError, unknown
from hrmlab.halting import HaltingConfig
from hrmlab.inference.attempts import SELECT, VARY, Ensemble, Select, Vary
from hrmlab.inference.stream import Answer, Frame, Puzzle, Solver
from hrmlab.results import Solution
from hrmlab.tasks.base import Task, Tokens

SLOTS = 256


@dataclass(frozen=True)
class Drawing:
    """A puzzle after a segment, drawn. board: lines of text with rich markup. puzzle: its number, from 1."""

    puzzle: int
    segment: int
    board: str
    confidence: float
    done: bool


Show = Callable[[Drawing], None]


@dataclass(frozen=True)
class Entry:
    """A line on its way: the solution to be filled in, and the puzzle, (N,); None where the solution has an error."""

    solution: Solution
    puzzle: Tokens | None


def ensemble_of(
    engines: Sequence[Eager], task: Task, rule: HaltingConfig, *, attempts: int, vary: str, select: str
) -> Ensemble | None:
    """Several tries as they are typed; None where there is only one, by one model.

    Raises:
        ConfigError: an unknown way to vary or to select, or tries that make no sense.
    """
    for name, value, known in (("vary", vary, VARY), ("select", select, SELECT)):
        if value not in known:
            raise ConfigError(unknown(f"--{name}", value, known))
    if attempts == 1 and len(engines) == 1:
        return None
    how = {"attempts": attempts, "vary": cast(Vary, vary), "select": cast(Select, select)}
    models = [engine.model for engine in engines]
    return Ensemble(models, task, rule, slots=SLOTS, engines=engines, **how)  # type: ignore[arg-type]


class Answering:
    """Engines around models and a rule, with what `hrmlab.inference.attempts` makes of several tries.

    Raises:
        ConfigError: an unknown way to vary or to select, or tries that make no sense.
    """

    def __init__(
        self,
        task: Task,
        rule: HaltingConfig,
        engines: Sequence[Eager],
        *,
        attempts: int = 1,
        vary: str = "start",
        select: str = "vote",
    ) -> None:
        self.task, self.rule, self.engines = task, rule, engines
        self.ensemble = ensemble_of(engines, task, rule, attempts=attempts, vary=vary, select=select)

    def solutions(self, entries: Iterator[Entry], show: Show | None = None) -> Iterator[Solution]:
        """A solution for each entry, in their order; those with an error pass through.

        Raises:
            ConfigError: `show` with several attempts.
        """
        waiting: deque[Entry] = deque()

        def puzzles() -> Iterator[Puzzle]:
            for entry in entries:
                waiting.append(entry)
                if entry.puzzle is not None:
                    yield Puzzle(entry.puzzle)

        for answer in self._answers(puzzles(), waiting, show):
            while waiting[0].puzzle is None:
                yield waiting.popleft().solution
            yield self._filled(waiting.popleft(), answer)
        for entry in waiting:
            yield entry.solution

    def _answers(self, puzzles: Iterator[Puzzle], waiting: deque[Entry], show: Show | None) -> Iterator[Answer]:
        if self.ensemble is None:
            watch = _Pen(self.task, waiting, show) if show else None
            (engine,), slots = self.engines, 1 if show else SLOTS
            solver = Solver(engine.model, self.rule, slots=slots, check=self.task.valid, watch=watch, engine=engine)
            yield from solver.solve(puzzles)
            return
        if show is not None:
            raise ConfigError("--show came with several attempts; wanted --attempts 1, which can be drawn")
        for attempted in self.ensemble.solve(puzzles):
            yield replace(attempted.chosen, segments=attempted.segments)

    def _filled(self, entry: Entry, answer: Answer) -> Solution:
        assert entry.puzzle is not None
        return replace(
            entry.solution,
            input=self.task.format(entry.puzzle),
            output=self.task.written(answer.tokens),
            solved=self.task.solved(answer.valid),
            segments=answer.segments,
            confidence=answer.confidence,
            reason=answer.reason,
        )


class _Pen:
    """Draws the one puzzle that is being worked on."""

    def __init__(self, task: Task, waiting: deque[Entry], show: Show) -> None:
        self.task, self.waiting, self.show = task, waiting, show
        self.before: Tokens | None = None

    def __call__(self, frame: Frame) -> None:
        puzzle = next(entry.puzzle for entry in reversed(self.waiting) if entry.puzzle is not None)
        before = self.before if frame.segment > 1 else None
        board = self.task.draw(puzzle, frame.tokens, before)
        self.before = np.array(frame.tokens)
        self.show(Drawing(frame.puzzle + 1, frame.segment, board, frame.confidence, frame.done))
