"""The puzzle table spread over processes: each holds some of its rows, and asks the others for theirs.

Every identifier is asked for once, however many slots work on its puzzle, and gradients of one row are summed before
they travel (as recommendation models do it: Naumov et al. 2019, arXiv 1906.00091, section 4).
"""

import torch
from torch import Tensor, nn

from hrmlab.embeddings.puzzle import PuzzleTable, in_a_file
from hrmlab.training.ranks import Ranks

CHUNK = 2**24
"""Numbers that travel at once when a whole table is put together."""


class ShardedTable(PuzzleTable):
    """The rows `first` to `first + len(rows)` of a table.

    Args:
        table: the whole one; it is left to its owner.
    """

    def __init__(self, table: PuzzleTable, ranks: Ranks) -> None:
        nn.Module.__init__(self)
        self.buckets, self.mapped, self.expand, self.ranks = table.buckets, table.mapped, table.expand, ranks
        self.total = len(table.rows)
        self.register_buffer("rows", self.part(table.rows).clone())

    @property
    def share(self) -> int:
        """Rows that each process has; the last ones may have fewer."""
        return -(-self.total // self.ranks.count)

    @property
    def first(self) -> int:
        return min(self.ranks.number * self.share, self.total)

    def part(self, whole: Tensor) -> Tensor:
        """Of a tensor with a row for each of the table, those of this process."""
        return whole[self.first : self.first + self.share]

    def forward(self, ids: Tensor) -> Tensor:
        distinct, where = torch.unique(self.at(ids).to(self.rows.device), return_inverse=True)
        wanted, asked = self.ranks.deal(distinct, self._counts(distinct))
        found, _ = self.ranks.deal(self.rows[wanted - self.first], asked)
        return found[where].to(ids.device).requires_grad_(torch.is_grad_enabled())

    def gradients(self, at: Tensor, gradients: Tensor) -> tuple[Tensor, Tensor]:
        """Bring gradients, (B, numbers), of rows `at`, (B,), to the processes that have the rows.

        Returns:
            places in `self.rows`, (k,), and their gradients, (k, numbers): one for each process that had any.
        """
        distinct, where = torch.unique(at, return_inverse=True)
        sums = gradients.new_zeros(len(distinct), gradients.shape[-1]).index_add_(0, where, gradients)
        counts = self._counts(distinct)
        mine, _ = self.ranks.deal(distinct, counts)
        return mine - self.first, self.ranks.deal(sums, counts)[0]

    def _counts(self, distinct: Tensor) -> list[int]:
        """How many of these sorted rows each process has."""
        counts: list[int] = torch.bincount(distinct // self.share, minlength=self.ranks.count).tolist()
        return counts

    def whole(self, rows: Tensor) -> Tensor:
        """A tensor with a row for each of this process's, put together from all; the first process has it, in a file
        without a name (so that it may be larger than memory), the others get no rows."""
        width = rows.shape[1:].numel()
        like = rows.reshape(len(rows), width)
        whole = in_a_file((self.total, width), rows.dtype) if self.ranks.leads else like[:0]
        step = max(CHUNK // (width * self.ranks.count), 1)
        for at in range(0, self.share, step):
            mine = like[at : at + step]
            shares = [len(range(self.total)[n * self.share + at : n * self.share + min(at + step, self.share)])
                      for n in range(self.ranks.count)]  # fmt: skip
            found = self.ranks.all(mine, shares)
            if not self.ranks.leads:
                continue
            parts = torch.split(found, shares)
            for number, part in enumerate(parts):
                start = number * self.share + at
                whole[start : start + len(part)] = part.to(whole)
        return whole.reshape(len(whole), *rows.shape[1:])

    def some(self, ids: Tensor) -> PuzzleTable:
        """A table of the rows of these identifiers alone, which asks nobody any more."""
        with torch.no_grad():
            distinct = torch.unique(self.at(ids))
            wanted, asked = self.ranks.deal(distinct.to(self.rows.device), self._counts(distinct))
            return FewRows(self, distinct, self.ranks.deal(self.rows[wanted - self.first], asked)[0])


class FewRows(PuzzleTable):
    """Some rows of a table, found by the identifiers of the whole one.

    Args:
        known: places in the whole table, (k,), sorted. rows: theirs, (k, numbers).
    """

    def __init__(self, table: PuzzleTable, known: Tensor, rows: Tensor) -> None:
        nn.Module.__init__(self)
        self.buckets, self.mapped, self.expand, self.known = table.buckets, False, table.expand, known
        self.register_buffer("rows", rows)

    def at(self, ids: Tensor) -> Tensor:
        return torch.searchsorted(self.known.to(ids.device), super().at(ids))
