"""Inference that stops: puzzles stream in, a slot takes the next as soon as its own has halted, answers stream out."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.halting import Check, HaltingConfig
from hrmlab.halting.residual import residual
from hrmlab.tasks.base import IGNORE, Tokens

Indices = npt.NDArray[np.int64]
NOBODY = -1
"""Owner of a slot that works for no puzzle."""


@dataclass(frozen=True)
class Puzzle:
    """A question.

    tokens: (N,). labels: (N,), to compare with, or None. identifier: row of the puzzle table.
    start: seed of random states to begin from; None begins from the model's own.
    """

    tokens: Tokens
    labels: Tokens | None = None
    identifier: int = 0
    start: int | None = None


@dataclass(frozen=True)
class Answer:
    """What came of one puzzle.

    tokens: the grid at the halt, (N,).
    segments: segments until then.
    confidence: the halting head's probability of a right answer at the halt.
    halted: whether the policy chose to stop; False where the limit of segments did.
    residual: relative change of the answer level's state in the last segment, |z - z'| / |z|.
    right: after each segment, whether every labelled cell was right, (segments,); meaningless without labels.
    """

    tokens: Tokens
    segments: int
    confidence: float
    halted: bool
    residual: float
    right: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Frame:
    """One puzzle after one segment, for whoever watches. puzzle: its number, from 0; tokens: the grid now, (N,)."""

    puzzle: int
    segment: int
    tokens: Tokens
    confidence: float
    done: bool


Watch = Callable[[Frame], None]


class Solver:
    """A model with a halting policy, ready for any number of puzzles in constant memory.

    What a puzzle is answered with depends neither on its neighbours nor on the number of slots but for rounding: in
    float32 the last digits of matrix products depend on the shape of the batch. (`global_budget` is the exception.)

    Args:
        model: in evaluation mode, on its device.
        slots: puzzles worked on at once.
        check: the task's rules, for policies that ask for them; usually `task.valid`.
        watch: sees every puzzle after every segment.
        engine: what computes the segments of this model; None for the model itself. An engine of fixed shapes keeps
            slots open, and computes them for nobody, once puzzles run out.
    """

    def __init__(
        self,
        model: HRM,
        halting: HaltingConfig,
        *,
        slots: int = 128,
        check: Check | None = None,
        watch: Watch | None = None,
        engine: Eager | None = None,
    ) -> None:
        self.model, self.halting, self.slots, self.check, self.watch = model, halting, slots, check, watch
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

    def as_they_halt(self, puzzles: Iterable[Puzzle | Tokens]) -> Iterator[tuple[int, Answer]]:
        """(number of the puzzle, answer), the quick ones first."""
        source = (p if isinstance(p, Puzzle) else Puzzle(np.asarray(p)) for p in puzzles)
        work = _Work(self, source)
        while True:
            with torch.inference_mode():  # not around the yield: the caller's own computations are none of ours
                if not work.refill():
                    return
                finished = work.advance()
            yield from finished


class _Work:
    """The slots of one call: who owns them, their carry, and what has been seen of each puzzle."""

    def __init__(self, solver: Solver, source: Iterator[Puzzle]) -> None:
        self.solver, self.source, self.asked = solver, source, 0
        self.owner: Indices = np.zeros(0, dtype=np.int64)
        self.right: npt.NDArray[np.bool_] = np.zeros((0, solver.halting.max_segments), dtype=np.bool_)
        self.carry: Carry | None = None

    def refill(self) -> bool:
        """Give waiting puzzles to free slots and close those that nobody waits for; False when all are closed."""
        free = np.arange(self.solver.slots) if self.carry is None else np.flatnonzero(_numpy(self.carry.halted))
        fresh = [puzzle for _, puzzle in zip(free, self.source, strict=False)] if len(free) else []
        if self.carry is None:
            if not fresh:
                return False
            self._open(fresh)
        elif len(free):
            self._replace(free, fresh)
        return bool((self.owner != NOBODY).any())

    def _open(self, fresh: list[Puzzle]) -> None:
        batch = self._batch(fresh)
        carry = self.solver.model.empty_carry(batch)
        self.owner = np.arange(len(fresh))
        self.right = np.zeros((len(fresh), self.solver.halting.max_segments), dtype=np.bool_)
        self.asked = len(fresh)
        self.carry = self._begun(carry, batch)
        self._random_starts(fresh, self.owner)

    def _replace(self, free: Indices, fresh: list[Puzzle]) -> None:
        assert self.carry is not None
        taken = free[: len(fresh)]
        self.owner[taken] = np.arange(self.asked, self.asked + len(fresh))
        self.right[taken] = False
        self.asked += len(fresh)
        offered = self.carry.batch
        if fresh:
            rows, at = self._batch(fresh), torch.from_numpy(taken).to(offered.inputs.device)
            offered = Batch(
                offered.inputs.index_copy(0, at, rows.inputs),
                offered.labels.index_copy(0, at, rows.labels),
                offered.identifiers.index_copy(0, at, rows.identifiers),
            )
        if self.solver.engine.fixed_shapes:
            self.owner[free[len(taken) :]] = NOBODY
        elif len(taken) < len(free):
            kept = np.setdiff1d(np.arange(len(self.owner)), free[len(taken) :])
            self.owner, self.right = self.owner[kept], self.right[kept]
            rows_kept = torch.from_numpy(kept).to(offered.inputs.device)
            self.carry = _rows(self.carry, rows_kept)
            offered, taken = _picked(offered, rows_kept), np.searchsorted(kept, taken)
        if fresh:
            self.carry = self._begun(self.carry, offered)
            self._random_starts(fresh, taken)

    def _begun(self, carry: Carry, offered: Batch) -> Carry:
        first = self.solver.halting.first_allowed(len(offered), None).to(carry.steps)
        return carry.refill(self.solver.model.initial_states(), offered, first)

    def _random_starts(self, fresh: list[Puzzle], slots: Indices) -> None:
        assert self.carry is not None
        for puzzle, slot in zip(fresh, slots.tolist(), strict=True):
            if puzzle.start is not None:
                generator = torch.Generator().manual_seed(puzzle.start)
                draw_start(self.solver.model, self.carry, slot, generator)

    def _batch(self, puzzles: list[Puzzle]) -> Batch:
        device = self.solver.model.initial.device
        inputs = np.stack([puzzle.tokens for puzzle in puzzles]).astype(np.int64)
        labels = np.full_like(inputs, IGNORE)
        for row, puzzle in enumerate(puzzles):
            if puzzle.labels is not None:
                labels[row] = puzzle.labels
        identifiers = np.array([puzzle.identifier for puzzle in puzzles], dtype=np.int64)
        return Batch(*(torch.from_numpy(part).to(device) for part in (inputs, labels, identifiers)))

    def advance(self) -> list[tuple[int, Answer]]:
        """One segment of every slot; the puzzles that it finished."""
        assert self.carry is not None
        solver, halting = self.solver, self.solver.halting
        step = segment(solver.engine, self.carry, halting, check=solver.check)
        chosen = _numpy(halting.chooses(step.view, self.carry.first_allowed))
        self.carry = step.carry
        if halting.restart_every:
            self._restart(halting.restart_every)
        labels, grids = self.carry.batch.labels, halting.answer(step.view).argmax(-1)
        segments, done = _numpy(self.carry.steps).astype(np.int64), _numpy(self.carry.halted)
        self.right[np.arange(len(done)), segments - 1] = _numpy(((grids == labels) | (labels == IGNORE)).all(-1))
        ends = np.flatnonzero(done & (self.owner != NOBODY))
        if not len(ends) and solver.watch is None:
            return []
        tokens = _numpy(grids).astype(np.int32)
        confidence = _numpy(step.output.values[:, 0].double().sigmoid())
        rest = _numpy(residual(step.view, "l2"))
        if solver.watch is not None:
            for slot, puzzle in enumerate(self.owner.tolist()):
                if puzzle == NOBODY:
                    continue
                at = int(segments[slot]), tokens[slot], float(confidence[slot]), bool(done[slot])
                solver.watch(Frame(puzzle, *at))
        return [
            (
                int(self.owner[slot]),
                Answer(
                    tokens[slot],
                    int(segments[slot]),
                    float(confidence[slot]),
                    bool(chosen[slot]),
                    float(rest[slot]),
                    self.right[slot, : segments[slot]].copy(),
                ),
            )
            for slot in ends.tolist()
        ]

    def _restart(self, every: int) -> None:
        """Draw new states for the slots still at work after a multiple of `every` segments.

        What is drawn depends on the puzzle and its segment alone, so that neighbours change nothing.
        """
        assert self.carry is not None
        steps, halted = _numpy(self.carry.steps), _numpy(self.carry.halted)
        for slot in np.flatnonzero(~halted & (steps % every == 0)).tolist():
            puzzle = np.append(_numpy(self.carry.batch.inputs[slot]), steps[slot]).astype(np.int64)
            generator = torch.Generator().manual_seed(zlib.crc32(puzzle.tobytes()))  # reads 32 bits of a seed, no more
            draw_start(self.solver.model, self.carry, slot, generator)


def draw_start(model: HRM, carry: Carry, slot: int, generator: torch.Generator) -> None:
    """Put a slot's states at the initial vectors plus unit normal noise, in place."""
    for level, start in model.initial_states().items():
        state = carry.states[level]
        noise = torch.randn(state.shape[1:], generator=generator)
        state[slot] = start.to(state.dtype) + noise.to(state)


def _picked(batch: Batch, kept: Tensor) -> Batch:
    return Batch(batch.inputs[kept], batch.labels[kept], batch.identifiers[kept])


def _rows(carry: Carry, kept: Tensor) -> Carry:
    return replace(
        carry,
        states={level: state[kept] for level, state in carry.states.items()},
        steps=carry.steps[kept],
        first_allowed=carry.first_allowed[kept],
        halted=carry.halted[kept],
        batch=_picked(carry.batch, kept),
        memory={name: held[kept] for name, held in carry.memory.items()},
    )


def _numpy(tensor: Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.cpu().numpy()
    return array
