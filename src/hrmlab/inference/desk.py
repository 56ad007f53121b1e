"""Puzzles that come at any time: taken in their order, shown by segment, given up when late or not wanted any more."""

import time
from collections import deque
from dataclasses import dataclass

import torch

from hrmlab.inference.puzzles import Answer, Frame, Puzzle
from hrmlab.inference.stream import Solver


@dataclass(frozen=True)
class Request:
    """A puzzle that somebody waits for.

    until: the `time.monotonic()` at which it is given up; None waits for ever.
    watched: whether a frame of every segment is wanted too.
    """

    number: int
    puzzle: Puzzle
    until: float | None = None
    watched: bool = False


@dataclass(frozen=True)
class Late:
    """A puzzle that was given up, its time being over."""

    puzzle: int


Said = tuple[int, Answer] | Frame | Late


class Desk:
    """A solver's slots, and the puzzles that wait for them.

    It does nothing by itself: whoever owns it puts puzzles in between two segments.

    Args:
        solver: its `watch` is not used.
    """

    def __init__(self, solver: Solver) -> None:
        self.waiting: deque[Request] = deque()
        self.asked: dict[int, Request] = {}
        """All that are not answered yet, by their number."""
        self.slots = solver.open(self)

    def __iter__(self) -> "Desk":
        return self

    def __next__(self) -> tuple[int, Puzzle]:
        """The next puzzle for a free slot; the source may end and go on later."""
        while self.waiting:
            request = self.waiting.popleft()
            if request.number in self.asked:
                return request.number, request.puzzle
        raise StopIteration

    @property
    def working(self) -> int:
        """Puzzles in slots."""
        return len(self.asked) - sum(request.number in self.asked for request in self.waiting)

    def ask(self, request: Request) -> None:
        """Put a puzzle at the end of the queue; its number must be one that no other has."""
        self.asked[request.number] = request
        self.waiting.append(request)

    def forget(self, number: int) -> None:
        """Nobody waits for it any more; it may have been answered already."""
        self.asked.pop(number, None)

    def advance(self) -> list[Said]:
        """A segment of everything that there is room for: what it came to, answers and what was given up."""
        late = self._late()
        for said in late:
            self.forget(said.puzzle)
        self.slots.drop(lambda number: number not in self.asked)
        frames: list[Frame] = []
        self.slots.watch = frames.append if any(request.watched for request in self.asked.values()) else None
        with torch.inference_mode():
            ended = self.slots.advance() if self.slots.refill() else []
        shown = [frame for frame in frames if self.asked[frame.puzzle].watched]
        for number, _ in ended:
            self.forget(number)
        return [*late, *shown, *ended]

    def _late(self) -> list[Late]:
        now = time.monotonic()
        return [Late(number) for number, r in self.asked.items() if r.until is not None and r.until < now]
