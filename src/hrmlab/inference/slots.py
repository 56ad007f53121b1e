"""Slots that take the next puzzle as soon as their own has halted; as many are open as there are puzzles for."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
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
from hrmlab.inference.puzzles import Answer, Frame, Puzzle, Watch
from hrmlab.tasks.base import IGNORE

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NOBODY = -1
"""Owner of a slot that works for no puzzle."""


class Slots:
    """The slots of one call: who works in each, their carry, and what has been seen of each puzzle.

    Args:
        source: numbers and puzzles, taken one by one as slots fall free; it may end and go on later.
        limit: slots at most.
        engine: what computes segments; one of fixed shapes keeps its slots open for nobody once puzzles run out.
        halting, check, watch: as the solver's.
    """

    def __init__(
        self,
        engine: Eager,
        halting: HaltingConfig,
        source: Iterator[tuple[int, Puzzle]],
        limit: int,
        check: Check | None = None,
        watch: Watch | None = None,
    ) -> None:
        self.engine, self.model, self.halting, self.limit = engine, engine.model, halting, limit
        self.check, self.watch = check, watch
        self.source = source
        self.owner: Indices = np.zeros(0, dtype=np.int64)
        self.asked: list[Puzzle] = []
        self.right: Flags = np.zeros((0, halting.max_segments), dtype=np.bool_)
        self.won: dict[int, int] = {}
        """By group, the segments after which its first attempt halted."""
        self.carry: Carry | None = None

    def refill(self) -> bool:
        """Give waiting puzzles to free slots, open and close slots as many wait; False when all are closed."""
        free = self._vacant()
        room = len(free) + self.limit - len(self.owner)
        fresh = [numbered for _, numbered in zip(range(room), self.source, strict=False)]
        if self.carry is None and not fresh:
            return False
        if len(fresh) > len(free):
            free = np.append(free, self._open(fresh[len(free) :]))
        if len(free):
            self._replace(free, fresh)
        if self.won:
            racing = [puzzle.group for puzzle in self.asked if puzzle.group is not None]
            self.won = {group: at for group, at in self.won.items() if group >= min(racing, default=group + 1)}
        return bool((self.owner != NOBODY).any())

    def drop(self, unwanted: Callable[[int], bool]) -> None:
        """Stop work on the puzzles of these numbers; their slots take others at the next `refill`."""
        for slot, owner in enumerate(self.owner.tolist()):
            if owner != NOBODY and unwanted(owner):
                self.owner[slot] = NOBODY

    def _vacant(self) -> Indices:
        """Slots that have halted or work for nobody."""
        if self.carry is None:
            return np.zeros(0, dtype=np.int64)
        nobody = self.owner == NOBODY
        if nobody.any():
            idle = torch.from_numpy(nobody).to(self.carry.halted.device)
            self.carry = replace(self.carry, halted=self.carry.halted | idle)
        return np.flatnonzero(_numpy(self.carry.halted))

    def _open(self, fresh: list[tuple[int, Puzzle]]) -> Indices:
        """Slots for more puzzles, still without them; an engine of fixed shapes gets all its slots the second time."""
        rows = len(self.owner)
        more = self.limit - rows if rows and self.engine.fixed_shapes else len(fresh)
        puzzles = [fresh[0][1]] * more
        self.owner = np.append(self.owner, np.full(more, NOBODY))
        self.asked = self.asked + puzzles
        self.right = np.append(self.right, np.zeros((more, self.halting.max_segments), dtype=np.bool_), axis=0)
        opened = self.model.empty_carry(self._batch(puzzles))
        self.carry = opened if self.carry is None else _joined(self.carry, opened)
        return np.arange(rows, rows + more)

    def _replace(self, free: Indices, fresh: list[tuple[int, Puzzle]]) -> None:
        assert self.carry is not None
        taken = free[: len(fresh)]
        for slot, (number, puzzle) in zip(taken.tolist(), fresh, strict=True):
            self.owner[slot], self.asked[slot] = number, puzzle
        self.right[taken] = False
        offered = self.carry.batch
        if fresh:
            rows, at = self._batch([puzzle for _, puzzle in fresh]), torch.from_numpy(taken).to(offered.inputs.device)
            offered = Batch(
                offered.inputs.index_copy(0, at, rows.inputs),
                offered.labels.index_copy(0, at, rows.labels),
                offered.identifiers.index_copy(0, at, rows.identifiers),
            )
        if self.engine.fixed_shapes:
            for slot in free[len(taken) :].tolist():
                self.owner[slot], self.asked[slot] = NOBODY, Puzzle(self.asked[slot].tokens)
        elif len(taken) < len(free):
            kept = np.setdiff1d(np.arange(len(self.owner)), free[len(taken) :])
            self.owner, self.right = self.owner[kept], self.right[kept]
            self.asked = [self.asked[slot] for slot in kept.tolist()]
            rows_kept = torch.from_numpy(kept).to(offered.inputs.device)
            self.carry = _rows(self.carry, rows_kept)
            offered, taken = _picked(offered, rows_kept), np.searchsorted(kept, taken)
        if fresh:
            self.carry = self._begun(self.carry, offered)
            self._random_starts(taken.tolist())

    def _begun(self, carry: Carry, offered: Batch) -> Carry:
        first = self.halting.first_allowed(len(offered), None).to(carry.steps)
        return carry.refill(self.model.initial_states(), offered, first)

    def _random_starts(self, slots: "range | list[int]") -> None:
        assert self.carry is not None
        for slot in slots:
            start = self.asked[slot].start
            if start is not None and not self.asked[slot].noise:
                draw_start(self.model, self.carry, slot, torch.Generator().manual_seed(start))

    def _batch(self, puzzles: list[Puzzle]) -> Batch:
        device = self.model.initial.device
        inputs = np.stack([puzzle.tokens for puzzle in puzzles]).astype(np.int64)
        labels = np.full_like(inputs, IGNORE)
        for row, puzzle in enumerate(puzzles):
            if puzzle.labels is not None:
                labels[row] = puzzle.labels
        identifiers = np.array([puzzle.identifier for puzzle in puzzles], dtype=np.int64)
        return Batch(*(torch.from_numpy(part).to(device) for part in (inputs, labels, identifiers)))

    def advance(self) -> list[tuple[int, Answer]]:
        """One segment of every slot; the numbers of the puzzles that it finished, and their answers."""
        assert self.carry is not None
        step = segment(self.engine, self.carry, self.halting, check=self.check)
        at_work = self.owner != NOBODY
        chosen = _numpy(self.halting.chooses(step.view, self.carry.first_allowed)) & at_work
        self.carry = step.carry
        segments = np.minimum(_numpy(self.carry.steps), self.halting.max_segments).astype(np.int64)
        overtaken = self._overtaken(chosen, segments)
        if overtaken.any():
            lost = torch.from_numpy(overtaken).to(self.carry.halted.device)
            self.carry = replace(self.carry, halted=self.carry.halted | lost)
        self._disturb(segments)
        labels, grids = self.carry.batch.labels, self.halting.answer(step.view).argmax(-1)
        done = _numpy(self.carry.halted)
        self.right[np.arange(len(done)), segments - 1] = _numpy(((grids == labels) | (labels == IGNORE)).all(-1))
        ends = np.flatnonzero(done & at_work)
        if not len(ends) and self.watch is None:
            return []
        tokens = _numpy(grids).astype(np.int32)
        confidence = _numpy(step.output.values[:, 0].double().sigmoid())
        if self.watch is not None:
            for slot in np.flatnonzero(at_work).tolist():
                at = int(segments[slot]), tokens[slot], float(confidence[slot]), bool(done[slot])
                self.watch(Frame(int(self.owner[slot]), *at))
        rest, valid = _numpy(residual(step.view, "l2")), self._valid(ends, tokens)
        return [
            (
                int(self.owner[slot]),
                Answer(
                    tokens=tokens[slot].copy(),  # of its own, so that the others are not kept with it
                    segments=int(segments[slot]),
                    confidence=float(confidence[slot]),
                    halted=bool(chosen[slot]),
                    residual=float(rest[slot]),
                    right=self.right[slot, : segments[slot]].copy(),
                    valid=ok,
                    overtaken=bool(overtaken[slot]),
                ),
            )
            for slot, ok in zip(ends.tolist(), valid, strict=True)
        ]

    def _valid(self, ends: Indices, tokens: npt.NDArray[np.int32]) -> list[bool | None]:
        if self.check is None or not len(ends):
            return [None] * len(ends)
        inputs = np.stack([self.asked[slot].tokens for slot in ends.tolist()]).astype(np.int32)
        return [bool(ok) for ok in self.check(inputs, tokens[ends])]

    def _overtaken(self, chosen: Flags, segments: Indices) -> Flags:
        """Slots whose puzzle has run as long as the attempt of its group that halted first, and has not halted itself.

        An attempt with fewer segments may still halt earlier, so it goes on: who wins depends on no neighbour.
        """
        groups = [puzzle.group for puzzle in self.asked]
        for slot in np.flatnonzero(chosen).tolist():
            group = groups[slot]
            if group is not None:
                self.won[group] = min(self.won.get(group, int(segments[slot])), int(segments[slot]))
        if not self.won:
            return np.zeros(len(chosen), dtype=np.bool_)
        never = self.halting.max_segments
        limits = np.array([never if group is None else self.won.get(group, never) for group in groups])
        over: Flags = ~chosen & (segments >= limits) & (segments < never)
        return over

    def _disturb(self, segments: Indices) -> None:
        """Restarts and noise for the slots still at work, before their next segment.

        What is drawn depends on the puzzle and its segment alone, so that neighbours change nothing.
        """
        assert self.carry is not None
        every, working = self.halting.restart_every, ~_numpy(self.carry.halted)
        if every:
            for slot in np.flatnonzero(working & (segments % every == 0)).tolist():
                seen = np.append(_numpy(self.carry.batch.inputs[slot]), segments[slot])
                draw_start(self.model, self.carry, slot, _generator(seen))
        for slot, puzzle in enumerate(self.asked):
            if puzzle.noise and working[slot]:
                generator = _generator(np.array([puzzle.start or 0, segments[slot]]))
                for state in self.carry.states.values():
                    state[slot] += (puzzle.noise * torch.randn(state.shape[1:], generator=generator)).to(state)


def draw_start(model: HRM, carry: Carry, slot: int, generator: torch.Generator) -> None:
    """Put a slot's states at the initial vectors plus unit normal noise, in place."""
    for level, start in model.initial_states().items():
        state = carry.states[level]
        noise = torch.randn(state.shape[1:], generator=generator)
        state[slot] = start.to(state.dtype) + noise.to(state)


def _generator(numbers: npt.NDArray[Any]) -> torch.Generator:
    seed = zlib.crc32(numbers.astype(np.int64).tobytes())  # a generator reads 32 bits of a seed, no more
    return torch.Generator().manual_seed(seed)


def _picked(batch: Batch, kept: Tensor) -> Batch:
    return Batch(batch.inputs[kept], batch.labels[kept], batch.identifiers[kept])


def _joined(carry: Carry, more: Carry) -> Carry:
    """The slots of both; what the policy remembers of the new ones is nothing."""

    def both(old: Tensor, new: Tensor) -> Tensor:
        return torch.cat((old, new.to(old)))

    return replace(
        carry,
        states={level: both(state, more.states[level]) for level, state in carry.states.items()},
        steps=both(carry.steps, more.steps),
        first_allowed=both(carry.first_allowed, more.first_allowed),
        halted=both(carry.halted, more.halted),
        batch=Batch(
            both(carry.batch.inputs, more.batch.inputs),
            both(carry.batch.labels, more.batch.labels),
            both(carry.batch.identifiers, more.batch.identifiers),
        ),
        memory={
            name: both(held, held.new_zeros(len(more.steps), *held.shape[1:])) for name, held in carry.memory.items()
        },
    )


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
