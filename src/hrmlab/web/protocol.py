"""What the front and the processes that solve say to each other: a line of JSON each."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Job:
    """What a process answers with: the arguments of `hrm serve`. slots: puzzles at work at once."""

    run: str
    halting: str | None = None
    engine: str = "eager"
    device: str = "auto"
    threads: int | Literal["auto"] | None = None
    slots: int = 256
    imports: Sequence[str] = ()

    def plain(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Ready:
    """A process has loaded its model. task: its configuration; about: of the model, for people."""

    task: dict[str, Any]
    about: dict[str, Any]


@dataclass(frozen=True)
class Failed:
    """A process cannot begin, and why."""

    why: str


@dataclass(frozen=True)
class Ask:
    """Answer a puzzle. until: `time.monotonic()` of this machine, when it is given up."""

    number: int
    tokens: list[int]
    until: float | None = None
    watched: bool = False


@dataclass(frozen=True)
class Forget:
    """Nobody waits for a puzzle any more."""

    number: int


@dataclass(frozen=True)
class Shown:
    """A puzzle after a segment, still at work or done."""

    number: int
    segment: int
    tokens: list[int]
    confidence: float
    done: bool


@dataclass(frozen=True)
class Found:
    """The answer to a puzzle; as `hrmlab.inference.puzzles.Answer`, and solved as `Task.solved`."""

    number: int
    tokens: list[int]
    segments: int
    confidence: float
    reason: str
    solved: bool | None


@dataclass(frozen=True)
class Late:
    """A puzzle was given up, its time being over."""

    number: int


@dataclass(frozen=True)
class Lost:
    """The process that worked on a puzzle is gone. The front says this to itself."""

    number: int


@dataclass(frozen=True)
class Turn:
    """What a segment came to. seconds: that it took; working, waiting: puzzles in slots and before them, after it."""

    seconds: float
    working: int
    waiting: int
    said: list[Any] = field(default_factory=list)


Said = Shown | Found | Late | Lost
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (Ready, Failed, Ask, Forget, Shown, Found, Late)}


def line(message: Any) -> bytes:
    """A message as it is sent."""
    return json.dumps(_plain(message), separators=(",", ":")).encode() + b"\n"


def message(data: bytes) -> Any:
    """What a line of the other process says."""
    return _made(json.loads(data))


def _plain(message: Any) -> list[Any]:
    if isinstance(message, Turn):
        return ["Turn", message.seconds, message.working, message.waiting, [_plain(said) for said in message.said]]
    return [type(message).__name__, *vars(message).values()]


def _made(data: list[Any]) -> Any:
    kind, *values = data
    if kind == "Turn":
        seconds, working, waiting, said = values
        return Turn(seconds, working, waiting, [_made(one) for one in said])
    return _KINDS[kind](*values)
