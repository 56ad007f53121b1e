"""Segments computed operation by operation: as this library does, and as the reference does."""

from typing import Any, ClassVar

import torch
from torch import Tensor

from hrmlab.core.carry import Batch
from hrmlab.core.heads import HaltingHead
from hrmlab.core.model import HRM, Output
from hrmlab.core.recurrence import States


class Eager:
    """What the model itself does. Base of all engines.

    name: in configurations and reports. summary: one line. tolerance: how far its float32 outputs and states may stand
        from this class's (absolute, for states of unit size). fixed_shapes: whether another number of slots costs a
        new start.
    """

    name: ClassVar[str] = "eager"
    summary: ClassVar[str] = "operations one by one; a look ahead computes only what the halting head reads"
    tolerance: ClassVar[float] = 0.0
    fixed_shapes: ClassVar[bool] = False

    def __init__(self, model: HRM) -> None:
        self.model = model

    @property
    def halting_head(self) -> HaltingHead:
        """The model's."""
        return self.model.halting_head

    def __call__(self, *arguments: Any) -> Output:
        """One segment; see `HRM.forward`."""
        output: Output = self.model(*arguments)
        return output

    def look_ahead(self, states: States, batch: Batch) -> Tensor:
        """Halting values one segment further, (B, 2), without gradient."""
        return self.model.look_ahead(states, batch)


class Reference(Eager):
    """What the reference does: the target of Q(continue) takes a whole segment, answer included.

    The yardstick of every speed that is claimed. In evaluation the reference gives each puzzle all its segments, which
    is a halting policy (`fixed`) and no matter of the engine.
    """

    name: ClassVar[str] = "reference"
    summary: ClassVar[str] = "as the reference computes: operations one by one, a whole second segment to look ahead"
    tolerance: ClassVar[float] = 1e-5

    @torch.no_grad()
    def look_ahead(self, states: States, batch: Batch) -> Tensor:
        output: Output = self.model(states, batch)
        return output.values
