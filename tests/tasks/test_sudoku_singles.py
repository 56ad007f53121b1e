"""Rounds of singles on grids worked out by hand, and against the solver's rating."""

import numpy as np

from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.singles import rounds

BOARD = Board(2, 2)


def test_rounds_by_hand():
    grid = np.array([[1, 2, 3, 0, 3, 4, 1, 0, 2, 1, 4, 3, 4, 3, 0, 0]])
    assert rounds(BOARD, grid).reshape(4, 4).tolist() == [[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 1]]


def test_a_cell_that_waits_for_another_comes_later():
    # The bottom row lacks 2 and 1; its last column is settled only once the column above is full.
    grid = np.array([[1, 2, 3, 4, 3, 4, 1, 2, 2, 1, 4, 0, 0, 0, 0, 0]])
    found = rounds(BOARD, grid).reshape(4, 4)
    assert found[2, 3] == 1 and (found[3] >= 1).all()


def test_an_empty_grid_has_no_single():
    assert (rounds(BOARD, np.zeros((2, 16), int)) == -1).all()


def test_singles_fill_exactly_the_puzzles_that_need_no_guess():
    for task in (Sudoku(box_rows=2, box_cols=3), Sudoku()):
        examples = task.generate(0, 60, 3).test
        filled = (rounds(task.board, np.maximum(examples.inputs - 1, 0)) >= 0).all(1)
        assert np.array_equal(filled, examples.rating == 0)
        assert 0 < filled.sum() < 60
