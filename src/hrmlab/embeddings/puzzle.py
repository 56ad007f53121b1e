"""The sparse table of puzzle vectors.

Lookup is explicit: it gives the rows as leaves of the graph, and whoever trains hands (ids, gradients of the rows) to
the table's optimiser. There are no batch-sized buffers, so a batch may have any size.
"""

import math
import mmap
import tempfile
from collections.abc import Callable
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
    mapped: keep the table in a temporary file (in TMPDIR), of which the system holds in memory what is in use, so that
        it may be larger than memory. It stays there when the model moves to a GPU.
    examples: make the vector of so many of the puzzle's demonstrations (`embeddings.shown`), `rank` being the reader's
        width; None learns it.
    buckets: rows of the table, which identifiers share by their hash; None gives each its own. The blank one, 0, shares
        with nobody.
    """

    width: int = 512
    slots: int | None = None
    init_std: float = 0.0
    rank: int | None = None
    buckets: int | None = None
    mapped: bool = False
    examples: int | None = None

    def __post_init__(self) -> None:
        if self.rank is not None and not 1 <= self.rank <= self.width:
            raise ConfigError(f"puzzle.rank={self.rank} came; wanted 1 to {self.width}, the vector's width")
        if self.buckets is not None and self.buckets < 2:
            raise ConfigError(f"puzzle.buckets={self.buckets} came; wanted 2 or more, the blank one's included")
        if self.examples is not None and (self.examples < 1 or self.buckets is not None or self.mapped):
            raise ConfigError(
                f"puzzle.examples={self.examples} came; wanted 1 or more, and neither buckets nor mapped, which "
                "are for vectors that are learned"
            )

    def slots_at(self, state_width: int) -> int:
        """How many positions of width `state_width` the vector takes."""
        return math.ceil(self.width / state_width) if self.slots is None else self.slots


class PuzzleTable(nn.Module):
    """Rows of puzzle vectors: a buffer, (identifiers or buckets, width or rank), never touched by a dense optimiser.

    learned: whether the rows are for an optimiser of rows.
    """

    learned = True
    rows: Tensor

    def __init__(self, identifiers: int, config: PuzzleConfig) -> None:
        super().__init__()
        self.buckets, self.mapped = config.buckets, config.mapped
        shape = (config.buckets or identifiers, config.rank or config.width)
        rows = in_a_file(shape) if config.mapped else torch.zeros(shape)
        if config.init_std > 0:  # pages that nobody writes take no room
            truncated_normal_(rows, config.init_std)
        self.register_buffer("rows", rows)
        self.expand = None if config.rank is None else Linear(config.rank, config.width)

    def at(self, ids: Tensor) -> Tensor:
        """The rows of identifiers, (B,)."""
        if self.buckets is None:
            return ids
        mixed = (ids * FIBONACCI) & 0xFFFFFFFF  # multiplicative hashing, Knuth, volume 3, section 6.4
        return torch.where(ids == 0, 0, 1 + mixed % (self.buckets - 1))

    def forward(self, ids: Tensor) -> Tensor:
        """(B,) -> (B, numbers kept), a copy; it asks for gradient wherever gradients are recorded."""
        found = self.rows[self.at(ids).to(self.rows.device)].detach().to(ids.device)
        return found.requires_grad_(torch.is_grad_enabled())

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "PuzzleTable":
        rows = self.rows
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if self.mapped:
            self.rows = rows
        return self

    def vectors(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """(B, numbers kept) and the puzzles asked, (B, seq_len) -> (B, width)."""
        if self.expand is None:
            return rows
        whole: Tensor = self.expand(rows)
        return whole


def in_a_file(shape: tuple[int, int], dtype: torch.dtype = torch.float32) -> Tensor:
    """Zeros in a file that has no name any more: it goes with the last tensor that looks into it."""
    if (like := torch.empty(0)).is_meta or type(like) is not Tensor:  # shapes alone are wanted
        return torch.empty(shape, dtype=dtype)
    size = math.prod(shape) * dtype.itemsize
    with tempfile.TemporaryFile() as file:
        file.truncate(size)
        mapped = mmap.mmap(file.fileno(), size)
    mapped.madvise(mmap.MADV_RANDOM)  # rows are drawn at random: their neighbours need not be read too
    return torch.frombuffer(mapped, dtype=dtype).view(shape)
