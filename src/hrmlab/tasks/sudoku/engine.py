"""What solves and makes puzzles: one protocol, met by a compiled engine and by its pure-Python twin.

Both give the same answers, the same ratings and, from the same seed, the same puzzles. Grids are int8 arrays of shape
(n, cells): 0 = empty, digits from 1.

The rating of a puzzle is the number of guesses of our solver when it proves that the solution is the only one. The
solver places naked and hidden singles until none is left, then branches on the open cell with fewest candidates (the
first of equals in row order) and tries all of them in ascending order, each with singles again; every value tried is
one guess. A puzzle that singles solve has rating 0. The rating is exact and repeatable, but not quite the same for all
symmetric forms of a puzzle, because the first of equals depends on where it stands.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.sudoku.board import Board

Grids = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int64]
UNLIMITED = 2**62


@dataclass(frozen=True)
class Solved:
    """What a solver found for n grids.

    counts: solutions up to the limit, shape (n,); -1 where the budget of guesses ran out first.
    solutions: the first solution of each, shape (n, cells); zeros where there is none.
    guesses: values tried at branching cells, shape (n,).
    """

    counts: Counts
    solutions: Grids
    guesses: Counts


@dataclass(frozen=True)
class Wishes:
    """What puzzles are wanted: givens (None: minimal, no clue can go) and a band of ratings, ends included."""

    givens: int | None = None
    lowest: int = 0
    highest: int = UNLIMITED

    def band(self) -> str:
        """The band of ratings in words, empty if any rating will do."""
        if self.highest < UNLIMITED:
            return f"rating {self.lowest} to {self.highest}"
        return f"rating at least {self.lowest}" if self.lowest else ""


@dataclass(frozen=True)
class Made:
    """Puzzles and solutions, shape (n, cells), and ratings, shape (n,): -1 from the first on for which no attempt met
    the wishes."""

    puzzles: Grids
    solutions: Grids
    ratings: Counts


class Engine(ABC):
    """Solver, generator and canonical form of one board shape."""

    name: ClassVar[str]

    def __init__(self, board: Board) -> None:
        self.board = board

    @abstractmethod
    def solve(self, grids: Grids, limit: int = 2, budget: int = UNLIMITED) -> Solved:
        """Find up to `limit` solutions of each grid with at most `budget` guesses each."""

    @abstractmethod
    def generate(self, n: int, seed: int, first: int = 0, wishes: Wishes | None = None) -> Made:
        """Make puzzles number first .. first + n - 1 of a seed.

        Each has a random stream of its own, so that the work may be cut into any pieces. A puzzle below the wanted
        rating is made harder by a walk: two to four clues are given back, others dug away, and what is no easier is
        kept. Every puzzle has a solution grid of its own all the same. After the first that cannot be made, the rest
        is not tried.
        """

    @abstractmethod
    def canonical(self, grids: Grids) -> Grids:
        """The canonical form of each puzzle: equal for two puzzles exactly if one can be turned into the other by
        relabelling digits, permuting bands, rows within a band, stacks and columns within a stack and, where boxes are
        square, transposing."""

    def _empty(self, n: int) -> Grids:
        return np.zeros((n, self.board.cells), np.int8)

    def _grids(self, grids: Grids) -> Grids:
        grids = np.ascontiguousarray(grids, np.int8)
        assert grids.ndim == 2 and grids.shape[1] == self.board.cells, grids.shape
        return grids


@lru_cache(maxsize=16)
def engine(board: Board) -> Engine:
    """The compiled engine where it can be built, else the pure-Python one; HRMLAB_NO_COMPILER=1 asks for the latter."""
    from hrmlab.tasks.sudoku.native import NativeEngine, Unbuildable

    try:
        return NativeEngine(board)
    except Unbuildable:
        from hrmlab.tasks.sudoku.pure import PureEngine

        return PureEngine(board)
