"""What lives from one segment to the next: states, counters, and the puzzle that each slot works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from hrmlab.core.recurrence import States


@dataclass(frozen=True)
class Batch:
    """Puzzles, a row for each slot.

    inputs: token ids, (B, N).
    labels: token ids, -100 where not scored, (B, N).
    identifiers: rows of the puzzle table, (B,).
    """

    inputs: Tensor
    labels: Tensor
    identifiers: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    def where(self, mask: Tensor, other: "Batch") -> "Batch":
        """This batch's rows where the mask, (B,), holds; the other's elsewhere."""
        return Batch(
            torch.where(mask[:, None], self.inputs, other.inputs),
            torch.where(mask[:, None], self.labels, other.labels),
            torch.where(mask, self.identifiers, other.identifiers),
        )


@dataclass(frozen=True)
class Carry:
    """The explicit state of B slots; the model keeps none of it.

    states: by level, (B, N, W) or (B, N, S, W).
    steps: segments done on the present puzzle, (B,) int32.
    first_allowed: the segment from which each slot may halt, (B,) int32.
    halted: which slots are done and take a new puzzle next, (B,) booleans.
    batch: the puzzles being worked on.
    memory: what the halting policy remembers of each slot, by name, (B, ...); stale in slots just refilled, which the
        policy tells by their steps.
    """

    states: States
    steps: Tensor
    first_allowed: Tensor
    halted: Tensor
    batch: Batch
    memory: Mapping[str, Tensor] = field(default_factory=dict)

    def refill(self, initial: States, offered: Batch, first_allowed: Tensor) -> "Carry":
        """Halted slots start on the offered rows from the initial states; the others keep theirs.

        Args:
            initial: states to start from, broadcastable to the carried ones.
            offered: as many rows as slots; rows offered to slots still at work are not taken.
            first_allowed: (B,), drawn by the halting policy.
        """
        fresh = self.halted

        def pick(new: Tensor, old: Tensor) -> Tensor:
            return torch.where(fresh.view(-1, *(1,) * (old.ndim - 1)), new.to(old.dtype), old)

        return replace(
            self,
            states={level: pick(initial[level], old) for level, old in self.states.items()},
            steps=torch.where(fresh, 0, self.steps),
            first_allowed=torch.where(fresh, first_allowed, self.first_allowed),
            halted=torch.zeros_like(fresh),
            batch=offered.where(fresh, self.batch),
        )
