"""What the data say about themselves: sizes, relations between cells, and which symbols are interchangeable.

A task writes a `TaskSpec`; models are built from a configuration and a spec. Facts of the data are therefore never in a
model's configuration, and no part of the model knows what a Sudoku is: relational blocks read `relations`, the symbol
axis reads `symbols`. Plain numpy, no torch.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True, eq=False)
class Relation:
    """Cells that bear on each other, as one of two forms.

    groups: shape (cells,), the group number of each cell, -1 for none (a row, a column, a box): a cell is related to
        all cells of its group.
    neighbours: shape (cells, k), for each cell the indices of up to k related cells, -1 for none; column j holds the
        same direction for every cell (up, down, left, right), so that a part may treat directions apart.
    tie: relations with the same non-empty tie share their weights (rows and columns of a board that may be
        transposed).
    """

    name: str
    groups: Ints | None = None
    neighbours: Ints | None = None
    tie: str = ""

    def __post_init__(self) -> None:
        assert (self.groups is None) != (self.neighbours is None), "a relation is either groups or neighbours"

    @property
    def links(self) -> Bools:
        """Which cells (columns) each cell (rows) is related to, shape (cells, cells)."""
        if self.groups is not None:
            together: Bools = (self.groups[:, None] == self.groups) & (self.groups >= 0)
            return together
        assert self.neighbours is not None
        others = np.arange(len(self.neighbours))
        near: Bools = (self.neighbours[:, :, None] == others).any(axis=1)
        return near


def by_tie(relations: Iterable[Relation]) -> dict[str, list[Relation]]:
    """Relations that share their weights, together; in order."""
    ties: dict[str, list[Relation]] = {}
    for relation in relations:
        ties.setdefault(relation.tie or relation.name, []).append(relation)
    return ties


@dataclass(frozen=True)
class Symbols:
    """The interchangeable symbols of a task (digits, colours).

    tokens: the token id of each symbol.
    blank: the token that means "not known yet", or None.
    """

    tokens: tuple[int, ...]
    blank: int | None


@dataclass(frozen=True, eq=False)
class TaskSpec:
    """Facts that a model is built from.

    seq_len: cells in a puzzle.
    vocab_size: number of token ids, 0 (padding) included.
    num_identifiers: rows of the puzzle table, 0 (blank) included.
    pad_id: token of cells that are not part of a puzzle.
    shape: (rows, columns) of the board, or (seq_len,) for a sequence.
    """

    seq_len: int
    vocab_size: int
    num_identifiers: int = 1
    pad_id: int = 0
    shape: tuple[int, ...] = ()
    relations: tuple[Relation, ...] = field(default=())
    symbols: Symbols | None = None

    @property
    def coordinates(self) -> Ints:
        """Row and column of each cell, shape (cells, 2); a sequence, or cells of no known shape, are one row."""
        columns = self.shape[1] if len(self.shape) == 2 else self.seq_len
        return np.stack(np.divmod(np.arange(self.seq_len), columns), axis=1)

    def chosen(self, names: tuple[str, ...] | None) -> list[Relation]:
        """Relations by name; None for all of them.

        Raises:
            ConfigError: a name that the task does not have.
        """
        known = {relation.name: relation for relation in self.relations}
        if missing := [name for name in names or () if name not in known]:
            raise ConfigError(f"the task has no relation {missing}; it has: {', '.join(known) or 'none'}")
        return [known[name] for name in (known if names is None else names)]
