"""What there is: parts, data sets, models."""

from dataclasses import dataclass
from typing import Any

from hrmlab.results.base import Result


@dataclass(frozen=True)
class Item:
    """One line of the catalogue. source: where the idea was published, or "hrm-lab"."""

    kind: str
    name: str
    summary: str
    source: str


@dataclass(frozen=True)
class Catalogue(Result):
    """What there is to choose from."""

    items: list[Item]


@dataclass(frozen=True)
class Completion(Result):
    """What teaches a shell to complete `hrm`. keep: the command that has it do so in every session."""

    shell: str
    script: str
    keep: str


@dataclass(frozen=True)
class DataSet(Result):
    """A data set that was written."""

    path: str
    train: int
    test: int
    seconds: float
    protocol: str


@dataclass(frozen=True)
class DataCheck(Result):
    """Every problem found in a data set."""

    path: str
    ok: bool
    problems: list[str]


@dataclass(frozen=True)
class DataView(Result):
    """Puzzles of a data set with their answers, as text and as drawings with rich markup."""

    path: str
    protocol: str
    split: str
    n: int
    puzzles: list[dict[str, Any]]


@dataclass(frozen=True)
class Inspection(Result):
    """What a model is made of and how it recurs.

    schedule: the rows of one segment: target, sources, network, grad, and for one puzzle the operations (`flops`) and
        the bytes kept for the backward pass (`activations`, nothing being computed again).
    calls: by network, calls in one segment and how many of them carry gradient.
    parameters: trained numbers: total, by network, and of the other parts; the sparse puzzle table apart.
    flops: operations of matrix products for one puzzle: an inference `segment`, a `training_step` on average (with the
        looks ahead that the halting policy asks for, `look_ahead` each), and a call of each network.
    memory: bytes in float32: of the weights and what trains them; for one puzzle, `state` (all levels) and
        `activations` kept for the backward pass; `training` and `inference` are the least for a whole batch, passing
        buffers not counted.
    warnings: what is coherent but probably not meant.
    without_gradient: the share of the rows' operations that no gradient goes through.
    picture: the file of the schedule's picture, if one was asked for.
    """

    name: str
    task: dict[str, Any]
    schedule: list[dict[str, Any]]
    answer: str
    calls: dict[str, dict[str, int]]
    parameters: dict[str, int]
    flops: dict[str, int]
    memory: dict[str, int]
    warnings: list[str]
    table: str
    without_gradient: float
    picture: str | None = None
