"""The engine that answers puzzles: the one named, or the faster one on this machine for as many as there are."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

import torch

from hrmlab.config import encode
from hrmlab.core.carry import Batch
from hrmlab.core.choosing import faster
from hrmlab.core.compiling import has_compiler
from hrmlab.core.eager import Eager
from hrmlab.core.engines import build
from hrmlab.core.model import HRM
from hrmlab.halting import Check, HaltingConfig
from hrmlab.inference.puzzles import Puzzle
from hrmlab.inference.stream import Solver
from hrmlab.tasks.sudoku.native import cache_dir

SAMPLE, SHARE = 32, 32
"""Puzzles answered to see how long all will take: one in SHARE of them, SAMPLE at most."""


@dataclass(frozen=True)
class Ahead:
    """Work to come. first: puzzles to try; times: how much more work there is than theirs, perhaps estimated."""

    first: list[Puzzle]
    times: float

    @classmethod
    def of(cls, puzzles: Iterable[Puzzle], count: float, attempts: int = 1) -> "Ahead":
        """As many of the first puzzles as a choice needs; `count` are to come, each answered `attempts` times."""
        first = list(islice(puzzles, min(SAMPLE, round(count) // SHARE)))
        return cls(first, attempts * count / max(len(first), 1))


def engine_of(
    name: str, model: HRM, halting: HaltingConfig, ahead: Ahead, slots: int, check: Check | None = None
) -> Eager:
    """The engine of that name; for "auto" eager, unless there is so much work that compiling pays.

    How long the work takes is seen from a few puzzles that are answered for nothing; no more than one in 32.

    Raises:
        ConfigError: no such engine, or it cannot work here.
    """
    if name != "auto":
        return build(name, model)
    if not ahead.first or not has_compiler(model):
        return Eager(model)
    start = time.perf_counter()
    for _ in Solver(model, halting, slots=min(slots, len(ahead.first)), check=check).solve(ahead.first):
        pass
    seconds = (time.perf_counter() - start) * ahead.times
    about = {"model": encode(model.config), "segment": [model.spec.seq_len, model.spec.vocab_size, slots]}
    return faster(model, _Segment(model, slots), ahead=seconds, folder=cache_dir() / "engines", about=about)


class _Segment:
    """A segment of full slots, by any engine."""

    def __init__(self, model: HRM, slots: int) -> None:
        cells = torch.ones(slots, model.spec.seq_len, dtype=torch.int64, device=model.initial.device)
        self.batch = Batch(cells, cells, torch.zeros_like(cells[:, 0]))
        self.states = model.empty_carry(self.batch).states

    def __call__(self, engine: Eager) -> None:
        with torch.inference_mode():
            engine(self.states, self.batch).values.cpu()
