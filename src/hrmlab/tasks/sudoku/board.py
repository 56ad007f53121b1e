"""The shape of a Sudoku board and the cells of its units. Plain data, shared by the engines and the task."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

SYMBOLS = "123456789ABCDEFG"


@dataclass(frozen=True)
class Board:
    """A board of `side` x `side` cells in boxes of `box_rows` x `box_cols`; cells are numbered row by row."""

    box_rows: int
    box_cols: int

    @property
    def side(self) -> int:
        return self.box_rows * self.box_cols

    @property
    def cells(self) -> int:
        return self.side * self.side

    @property
    def square(self) -> bool:
        """Boxes are square, so that a transposed board is a board again."""
        return self.box_rows == self.box_cols

    @property
    def symbols(self) -> str:
        return SYMBOLS[: self.side]

    @cached_property
    def rows(self) -> npt.NDArray[np.int64]:
        """The row of each cell, shape (cells,)."""
        return np.arange(self.cells) // self.side

    @cached_property
    def columns(self) -> npt.NDArray[np.int64]:
        """The column of each cell, shape (cells,)."""
        return np.arange(self.cells) % self.side

    @cached_property
    def boxes(self) -> npt.NDArray[np.int64]:
        """The box of each cell, shape (cells,), boxes numbered row by row."""
        return self.rows // self.box_rows * self.box_rows + self.columns // self.box_cols

    @cached_property
    def units(self) -> tuple[tuple[str, npt.NDArray[np.int64]], ...]:
        """Every unit as (name, cells): rows, then columns, then boxes; numbered from 1 as people count."""
        return tuple(
            (f"{kind} {number + 1}", np.flatnonzero(groups == number))
            for kind, groups in (("row", self.rows), ("column", self.columns), ("box", self.boxes))
            for number in range(self.side)
        )

    def where(self, cell: int) -> str:
        """A cell in words, counted from 1."""
        return f"row {cell // self.side + 1} column {cell % self.side + 1}"

    def __str__(self) -> str:
        return f"{self.side}x{self.side}"
