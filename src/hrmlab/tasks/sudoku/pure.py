"""The pure-Python engine, for machines without a C++ compiler: some hundred times slower, otherwise the same."""

import numpy as np

from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.canonical import canonical
from hrmlab.tasks.sudoku.engine import UNLIMITED, Engine, Grids, Made, Solved, Wishes
from hrmlab.tasks.sudoku.maker import Maker, Stream
from hrmlab.tasks.sudoku.solver import Masks, Search, State, read, start


class PureEngine(Engine):
    """The engine in plain Python."""

    name = "python"

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._masks = Masks(board)

    def solve(self, grids: Grids, limit: int = 2, budget: int = UNLIMITED) -> Solved:
        grids = self._grids(grids)
        counts, guesses = np.zeros(len(grids), np.int64), np.zeros(len(grids), np.int64)
        solutions = np.zeros_like(grids)
        for i, grid in enumerate(grids.tolist()):
            clues = [0] * self.board.side
            for cell, digit in enumerate(grid):
                if digit:
                    clues[digit - 1] |= 1 << cell
            search = Search(self._masks, limit, budget)
            search.run(start(self._masks, clues))
            counts[i] = -1 if search.spent else search.found
            guesses[i] = search.guesses
            if search.found:
                solutions[i] = read(State(search.first), self.board.cells)
        return Solved(counts, solutions, guesses)

    def generate(self, n: int, seed: int, first: int = 0, wishes: Wishes | None = None) -> Made:
        puzzles, solutions = self._empty(n), self._empty(n)
        ratings = np.full(n, -1, np.int64)
        for i in range(n):
            maker = Maker(self._masks, Stream(seed % 2**64, first + i), wishes or Wishes())
            ratings[i] = maker.make()
            if ratings[i] < 0:
                break
            puzzles[i], solutions[i] = maker.grids()
        return Made(puzzles, solutions, ratings)

    def canonical(self, grids: Grids) -> Grids:
        grids = self._grids(grids)
        forms = np.zeros_like(grids)
        for i, grid in enumerate(grids.tolist()):
            forms[i] = canonical(self.board, grid)
        return forms
