"""Requests on their way: let in while there is room, given to a process that solves, and gathered again."""

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np

from hrmlab.config import decode
from hrmlab.errors import DataError
from hrmlab.results import Solution
from hrmlab.tasks.base import Task, Tokens
from hrmlab.web.limits import Limits
from hrmlab.web.protocol import Found, Late, Lost, Ready, Said, Shown
from hrmlab.web.refusal import Refusal
from hrmlab.web.worker import Worker

GRACE = 2.0
"""Seconds after its time that the front calls a puzzle late, should the process that solves not say so itself."""
FRAMES = 2000
"""Events that wait for a slow reader; segments beyond them are left out, answers never."""


@dataclass(frozen=True)
class Entry:
    """A line of a request: the solution to be filled in, and the puzzle; None where the solution has an error."""

    solution: Solution
    puzzle: Tokens | None


@dataclass(frozen=True)
class Event:
    """Something about puzzle `index` of a request: a segment, or its solution at last."""

    index: int
    segment: dict[str, Any] | None = None
    solution: Solution | None = None


class Front:
    """What stands between HTTP and the processes that solve.

    Args:
        workers: not started yet; all with the same job.
    """

    def __init__(self, workers: Sequence[Worker], limits: Limits) -> None:
        self.workers, self.limits = workers, limits
        self.draining = False
        self._task: Task | None = None
        self.about: dict[str, Any] = {}

    @property
    def task(self) -> Task:
        """The task that the model solves.

        Raises:
            Refusal: it is not loaded yet.
        """
        if self._task is None:
            raise Refusal(503, "the model is being loaded", retry=1)
        return self._task

    @property
    def outstanding(self) -> int:
        """Puzzles accepted and not answered yet."""
        return sum(len(worker.asked) for worker in self.workers)

    async def start(self) -> None:
        """Load the model in every process.

        Raises:
            HrmLabError: what a process found wrong.
        """
        for worker in self.workers:
            self.know(await worker.start())

    def know(self, ready: Ready) -> None:
        """What is served, as the first process says."""
        self._task, self.about = decode(Task, ready.task), ready.about  # type: ignore[type-abstract]

    async def close(self) -> None:
        """End the processes."""
        await asyncio.gather(*(worker.close() for worker in self.workers))

    def trouble(self) -> str | None:
        """Why no puzzle can be taken at the moment, or None."""
        if self.draining:
            return "draining"
        if self._task is None or not any(worker.ready for worker in self.workers):
            return "starting"
        return None

    @asynccontextmanager
    async def order(self, texts: Sequence[str], timeout: float, watched: bool) -> AsyncIterator["Order"]:
        """A request being answered; whatever is not answered at the end of the block is given up.

        Raises:
            Refusal: there is no room (429), or nobody to answer (503).
        """
        self._let_in(len(texts), timeout)  # so that nobody reads what there is no room for
        entries = await asyncio.to_thread(read, self.task, texts)
        worker = self._let_in(sum(entry.puzzle is not None for entry in entries), timeout)
        order = Order(self.task, entries)
        order.begin(worker, monotonic() + timeout, watched)
        try:
            yield order
        finally:
            order.end()

    def _let_in(self, puzzles: int, timeout: float) -> Worker:
        if trouble := self.trouble():
            raise Refusal(503, f"the server is {trouble}", retry=1)
        worker = min((w for w in self.workers if w.ready), key=lambda worker: len(worker.asked))
        slots = worker.job.slots
        if len(worker.asked) + puzzles <= slots:
            return worker
        wait = worker.wait(puzzles)
        if len(worker.asked) + puzzles > slots + self.limits.queue or wait > timeout:
            raise Refusal(
                429,
                f"{len(worker.asked)} puzzles are before you, and {puzzles} more would take {wait:.0f} s; try later, "
                "or ask for fewer",
                retry=max(1, math.ceil(wait / 2)),
            )
        return worker


class Order:
    """The puzzles of a request, and what has become of them."""

    def __init__(self, task: Task, entries: Sequence[Entry]) -> None:
        self.task, self.solutions = task, [entry.solution for entry in entries]
        self.entries = entries
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._numbers: dict[int, int] = {}
        self._worker: Worker | None = None
        self._until = math.inf

    def begin(self, worker: Worker, until: float, watched: bool) -> None:
        """Have the puzzles answered."""
        self._worker, self._until = worker, until + GRACE
        for index, entry in enumerate(self.entries):
            if entry.puzzle is None:
                self._events.put_nowait(Event(index, solution=entry.solution))
                continue
            tokens, hear = entry.puzzle.tolist(), self._hearing(index)
            self._numbers[index] = worker.ask(tokens, hear, until=until, watched=watched)

    def end(self) -> None:
        """Nobody waits any more."""
        for number in self._numbers.values():
            assert self._worker is not None
            self._worker.forget(number)

    async def events(self) -> AsyncIterator[Event]:
        """What happens, until the last puzzle has its solution."""
        missing = len(self.entries)
        while missing:
            event = self._events.get_nowait() if self._events.qsize() else await self._coming()
            if event.solution is not None:
                missing -= 1
                self.solutions[event.index] = event.solution
                self._numbers.pop(event.index, None)
            yield event

    async def answered(self) -> list[Solution]:
        """The solutions, once all are there."""
        async for _ in self.events():
            pass
        return self.solutions

    async def _coming(self) -> Event:
        try:
            async with asyncio.timeout(max(0.0, self._until - monotonic())):
                return await self._events.get()
        except TimeoutError:
            return self._overdue()

    def _overdue(self) -> Event:
        index = next(iter(self._numbers))
        number = self._numbers[index]
        if self._worker is not None:
            self._worker.forget(number)
        return Event(index, solution=self._filled(index, Late(number)))

    def _hearing(self, index: int) -> Any:
        def hear(said: Said) -> None:
            if not isinstance(said, Shown):
                self._events.put_nowait(Event(index, solution=self._filled(index, said)))
            elif self._events.qsize() < FRAMES:
                self._events.put_nowait(Event(index, segment=self._segment(index, said)))

        return hear

    def _segment(self, index: int, shown: Shown) -> dict[str, Any]:
        return {
            "puzzle": index,
            "segment": shown.segment,
            "output": self.task.written(np.array(shown.tokens, dtype=np.int32)),
            "confidence": shown.confidence,
            "done": shown.done,
        }

    def _filled(self, index: int, said: Found | Late | Lost) -> Solution:
        entry = self.entries[index]
        assert entry.puzzle is not None
        asked = self.task.format(entry.puzzle)
        if isinstance(said, Late):
            return Solution(asked, error="it was not answered in time", reason="late")
        if isinstance(said, Lost):
            return Solution(asked, error="the process that worked on it died; ask again", reason="lost")
        return Solution(
            input=asked,
            output=self.task.written(np.array(said.tokens, dtype=np.int32)),
            solved=said.solved,
            segments=said.segments,
            confidence=said.confidence,
            reason=said.reason,
        )


def read(task: Task, texts: Sequence[str]) -> list[Entry]:
    """Puzzles as they were typed, each either fair or with the reason why it is not."""
    return [_entry(task, text) for text in texts]


def _entry(task: Task, text: str) -> Entry:
    try:
        return Entry(Solution(text), task.fair(text))
    except DataError as error:
        return Entry(Solution(text, error=str(error)), None)
