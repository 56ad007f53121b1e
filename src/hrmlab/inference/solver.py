"""The solver: puzzles in, answers out; a slot takes the next puzzle as soon as its own has halted."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import Step, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM
from hrmlab.errors import DataError
from hrmlab.halting import Check, HaltingConfig
from hrmlab.tasks.base import IGNORE, Examples, Tokens

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """What a model answered to n puzzles, in their order.

    tokens: the grid at each puzzle's halt, (n, N).
    segments: segments until the halt, (n,).
    confidence: the halting head's probability of a right answer at the halt, (n,).
    halted: whether the policy itself chose to stop, (n,); False where the limit of segments did.
    right_by_segment: share of puzzles wholly right after each segment, with those halted held, (max_segments,).
    """

    tokens: Tokens
    segments: npt.NDArray[np.int64]
    confidence: npt.NDArray[np.float64]
    halted: npt.NDArray[np.bool_]
    right_by_segment: list[float]


@dataclass(frozen=True)
class Frame:
    """One puzzle after one segment, for whoever watches. puzzle: its row; tokens: the grid now, (N,)."""

    puzzle: int
    segment: int
    tokens: Tokens
    confidence: float
    done: bool


Watch = Callable[[Frame], None]


@torch.inference_mode()
def answer(
    model: HRM,
    examples: Examples,
    halting: HaltingConfig,
    batch_size: int = 128,
    *,
    check: Check | None = None,
    watch: Watch | None = None,
    progress: Callable[[int], None] | None = None,
) -> Answers:
    """Run every puzzle until its halt, with the policy's restarts on the way.

    Args:
        examples: labels are only compared with; -100 everywhere if there are none.
        batch_size: slots; the answers depend on it by rounding only.
        check: the task's rules, for policies that ask for them.
        watch: sees every puzzle after every segment.
        progress: called with the number of puzzles just finished.

    Raises:
        DataError: there are no puzzles.
    """
    count = len(examples)
    if not count:
        raise DataError("there are no puzzles to answer; wanted at least one")
    book = _Book(count, examples.inputs.shape[1], halting.max_segments)
    slots = _Slots(model, examples, halting, min(batch_size, count))
    while slots.refill():
        step = segment(model, slots.carry, halting, check=check)
        early = halting.chooses(step.view, slots.carry.first_allowed)
        slots.carry = step.carry
        if halting.restart_every:
            slots.restart(halting.restart_every)
        finished = book.enter(slots.owner, step, halting.answer(step.view), early, watch)
        if progress and finished:
            progress(finished)
    return book.answers()


class _Slots:
    """Slots, the puzzle that each works on, and the puzzles still waiting."""

    def __init__(self, model: HRM, examples: Examples, halting: HaltingConfig, slots: int) -> None:
        self.model, self.examples, self.halting, self.waiting = model, examples, halting, 0
        self.owner: Indices = np.zeros(slots, dtype=np.int64)
        self.carry: Carry = model.empty_carry(self._batch(self.owner))

    def _batch(self, rows: Indices) -> Batch:
        parts = (self.examples.inputs, self.examples.labels, self.examples.identifiers)
        device = self.model.initial.device
        return Batch(*(torch.from_numpy(np.asarray(part[rows]).astype(np.int64)).to(device) for part in parts))

    def refill(self) -> bool:
        """Give waiting puzzles to free slots and close those that nobody waits for; False when all are closed."""
        free = self.carry.halted.nonzero().squeeze(-1).cpu().numpy()
        taken = free[: len(self.examples) - self.waiting]
        self.owner[taken] = np.arange(self.waiting, self.waiting + len(taken))
        self.waiting += len(taken)
        if len(taken) < len(free):
            kept = np.setdiff1d(np.arange(len(self.owner)), free[len(taken) :])
            self.owner = self.owner[kept]
            self.carry = _rows(self.carry, torch.from_numpy(kept).to(self.carry.halted.device))
        if not len(self.owner):
            return False
        if len(taken):
            offered = self._batch(self.owner)
            first = self.halting.first_allowed(len(self.owner), None).to(self.carry.steps)
            self.carry = self.carry.refill(self.model.initial_states(), offered, first)
        return True

    def restart(self, every: int) -> None:
        """Draw new states for the slots still at work after a multiple of `every` segments.

        What is drawn depends on the puzzle's row and its segment alone, so that the number of slots changes nothing.
        """
        steps, halted = _numpy(self.carry.steps), _numpy(self.carry.halted)
        slots = np.flatnonzero(~halted & (steps % every == 0))
        for slot in slots.tolist():
            seed = np.random.SeedSequence((int(self.owner[slot]), int(steps[slot])))
            generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
            for level, start in self.model.initial_states().items():
                state = self.carry.states[level]
                noise = torch.randn(state.shape[1:], generator=generator)
                state[slot] = start.to(state.dtype) + noise.to(state)


class _Book:
    """Answers as they come in."""

    def __init__(self, count: int, cells: int, longest: int) -> None:
        self.tokens: Tokens = np.zeros((count, cells), dtype=np.int32)
        self.segments = np.zeros(count, dtype=np.int64)
        self.confidence = np.zeros(count, dtype=np.float64)
        self.halted = np.zeros(count, dtype=np.bool_)
        self.right = np.zeros((longest, count), dtype=np.bool_)

    def enter(self, owner: Indices, step: Step, logits: Tensor, early: Tensor, watch: Watch | None) -> int:
        """Note what each slot answers now; the number of puzzles that this segment finished."""
        labels, grids = step.carry.batch.labels, logits.argmax(-1)
        right = _numpy(((grids == labels) | (labels == IGNORE)).all(-1))
        segments, done = _numpy(step.carry.steps).astype(np.int64), _numpy(step.carry.halted)
        tokens = _numpy(grids).astype(np.int32)
        confidence = _numpy(step.output.values[:, 0].sigmoid()).astype(np.float64)
        self.tokens[owner], self.segments[owner], self.confidence[owner] = tokens, segments, confidence
        self.halted[owner] = _numpy(early)
        self.right[segments - 1, owner] = right
        for slot in np.flatnonzero(done).tolist():
            self.right[segments[slot] :, owner[slot]] = right[slot]
        if watch is not None:
            for slot, puzzle in enumerate(owner):
                at = int(segments[slot]), tokens[slot], float(confidence[slot]), bool(done[slot])
                watch(Frame(int(puzzle), *at))
        return int(done.sum())

    def answers(self) -> Answers:
        shares = [float(share) for share in self.right.mean(axis=1)]
        return Answers(self.tokens, self.segments, self.confidence, self.halted, shares)


def _rows(carry: Carry, kept: Tensor) -> Carry:
    batch = Batch(carry.batch.inputs[kept], carry.batch.labels[kept], carry.batch.identifiers[kept])
    return replace(
        carry,
        states={level: state[kept] for level, state in carry.states.items()},
        steps=carry.steps[kept],
        first_allowed=carry.first_allowed[kept],
        halted=carry.halted[kept],
        batch=batch,
        memory={name: held[kept] for name, held in carry.memory.items()},
    )


def _numpy(tensor: Tensor) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = tensor.cpu().numpy()
    return array
