"""The sparse table of puzzle vectors.

Lookup is explicit: it gives the rows as leaves of the graph, and whoever trains hands (ids, gradients of the rows) to
the table's optimiser. There are no batch-sized buffers, so a batch may have any size.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, truncated_normal_
from hrmlab.registry import Strict

FIBONACCI = 0x9E3779B1
"""2^32 over the golden ratio, rounded to a prime."""


@dataclass(frozen=True, kw_only=True)
class PuzzleConfig(Strict):
    """A learned vector for each puzzle identifier, laid out over leading slots of the sequence.

    width: numbers in a vector.
    slots: positions that it takes; None for as many as it fills.
    init_std: deviation of the initial vectors; HRM starts at zero.
    rank: numbers kept for each identifier, of which a learned matrix makes the `width`; None keeps all of them. Memory
        shrinks by width / rank.
    buckets: rows of the table, which identifiers share by their hash; None gives each its own. The blank one, 0, shares
        with nobody.
    """

    width: int = 512
    slots: int | None = None
    init_std: float = 0.0
    rank: int | None = None
    buckets: int | None = None

    def __post_init__(self) -> None:
        if self.rank is not None and not 1 <= self.rank <= self.width:
            raise ConfigError(f"puzzle.rank={self.rank} came; wanted 1 to {self.width}, the vector's width")
        if self.buckets is not None and self.buckets < 2:
            raise ConfigError(f"puzzle.buckets={self.buckets} came; wanted 2 or more, the blank one's included")

    def slots_at(self, state_width: int) -> int:
        """How many positions of width `state_width` the vector takes."""
        return math.ceil(self.width / state_width) if self.slots is None else self.slots


class PuzzleTable(nn.Module):
    """Rows of puzzle vectors: a buffer, (identifiers or buckets, width or rank), never touched by a dense optimiser."""

    rows: Tensor

    def __init__(self, identifiers: int, config: PuzzleConfig) -> None:
        super().__init__()
        self.buckets = config.buckets
        shape = (config.buckets or identifiers, config.rank or config.width)
        self.register_buffer("rows", truncated_normal_(torch.empty(shape), config.init_std))
        self.expand = None if config.rank is None else Linear(config.rank, config.width)

    def at(self, ids: Tensor) -> Tensor:
        """The rows of identifiers, (B,)."""
        if self.buckets is None:
            return ids
        mixed = (ids * FIBONACCI) & 0xFFFFFFFF  # multiplicative hashing, Knuth, volume 3, section 6.4
        return torch.where(ids == 0, 0, 1 + mixed % (self.buckets - 1))

    def forward(self, ids: Tensor) -> Tensor:
        """(B,) -> (B, numbers kept), a copy; it asks for gradient wherever gradients are recorded."""
        return self.rows[self.at(ids)].detach().requires_grad_(torch.is_grad_enabled())

    def vectors(self, rows: Tensor) -> Tensor:
        """(B, numbers kept) -> (B, width)."""
        if self.expand is None:
            return rows
        whole: Tensor = self.expand(rows)
        return whole
