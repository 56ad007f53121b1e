"""Puzzles in a seeded order, handed out one by one to whichever slots are free."""

from collections.abc import Callable
from typing import Any

import numpy as np

from hrmlab.errors import DataError
from hrmlab.tasks.base import Examples, Tokens

Augment = Callable[[Tokens, Tokens, np.random.Generator], tuple[Tokens, Tokens]]


class Feeder:
    """Passes over the examples, each in a new order, drawn from one generator that can be saved.

    Rows are taken, never offered and dropped: after k epochs every example has been handed out k times.

    Args:
        examples: what to hand out.
        seed: of the order and of the augmentation.
        augment: applied to the rows as they go out, or None.
    """

    def __init__(self, examples: Examples, seed: int, augment: Augment | None = None) -> None:
        if not len(examples):
            raise DataError("there are no training examples; wanted at least one")
        self.examples, self.augment = examples, augment
        self.rng = np.random.default_rng(seed)
        self.epoch, self.position = 0, 0
        self.order = self.rng.permutation(len(examples))

    def take(self, count: int) -> tuple[Tokens, Tokens, Tokens]:
        """The next `count` rows: inputs (count, N), labels (count, N), identifiers (count,)."""
        picked: list[np.ndarray] = []
        while count:
            part = self.order[self.position : self.position + count]
            self.position += len(part)
            count -= len(part)
            picked.append(part)
            if self.position == len(self.order):
                self.epoch, self.position = self.epoch + 1, 0
                self.order = self.rng.permutation(len(self.order))
        rows = np.concatenate(picked) if picked else np.empty(0, dtype=np.int64)
        inputs, labels = self.examples.inputs[rows], self.examples.labels[rows]
        if self.augment is not None and len(rows):
            inputs, labels = self.augment(inputs, labels, self.rng)
        return inputs, labels, self.examples.identifiers[rows]

    def state(self) -> dict[str, Any]:
        """Everything needed to go on from here."""
        return {
            "epoch": self.epoch,
            "position": self.position,
            "order": self.order.copy(),
            "rng": self.rng.bit_generator.state,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of a feeder over the same examples."""
        if len(state["order"]) != len(self.examples):
            raise DataError(
                f"the saved run trained on {len(state['order'])} examples, these data have {len(self.examples)};"
                " resume with the data set that the run was started on"
            )
        self.epoch, self.position = state["epoch"], state["position"]
        self.order = np.array(state["order"])  # a copy: it may lie in a file that will be gone
        self.rng.bit_generator.state = state["rng"]
