"""The sparse table of puzzle vectors.

Lookup is explicit: it gives the rows as leaves of the graph, and whoever trains hands (ids, gradients of the rows) to
the table's optimiser. There are no batch-sized buffers, so a batch may have any size.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hrmlab.layers import truncated_normal_
from hrmlab.registry import Strict


@dataclass(frozen=True, kw_only=True)
class PuzzleConfig(Strict):
    """A learned vector for each puzzle identifier, laid out over leading slots of the sequence.

    width: numbers in a vector.
    slots: positions that it takes; None for as many as it fills.
    init_std: deviation of the initial vectors; HRM starts at zero.
    """

    width: int = 512
    slots: int | None = None
    init_std: float = 0.0

    def slots_at(self, state_width: int) -> int:
        """How many positions of width `state_width` the vector takes."""
        return math.ceil(self.width / state_width) if self.slots is None else self.slots


class PuzzleTable(nn.Module):
    """Rows of puzzle vectors, shape (identifiers, width): a buffer, never touched by a dense optimiser."""

    rows: Tensor

    def __init__(self, identifiers: int, config: PuzzleConfig) -> None:
        super().__init__()
        self.register_buffer("rows", truncated_normal_(torch.empty(identifiers, config.width), config.init_std))

    def forward(self, ids: Tensor) -> Tensor:
        """(B,) -> (B, width), a copy; it asks for gradient wherever gradients are recorded."""
        return self.rows[ids].detach().requires_grad_(torch.is_grad_enabled())
