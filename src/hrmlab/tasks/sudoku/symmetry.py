"""Symmetries of the board, drawn at random for every puzzle of a batch.

A symmetry relabels the digits, permutes bands, rows within a band, stacks and columns within a stack and, where boxes
are square, transposes. It turns a puzzle with one solution into another with one solution.
"""

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.base import Tokens
from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.notation import BLANK

Indices = npt.NDArray[np.intp]


def relabel(board: Board, inputs: Tokens, labels: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
    """Permute the digits of each puzzle, in inputs and labels alike; shapes (n, cells). Other tokens stay."""
    n, offset = len(inputs), BLANK + 1
    table = np.empty((n, board.side), np.int32)
    table[:] = _orders(n, board.side, rng) + offset
    rows = np.arange(n)[:, None]

    def through(tokens: Tokens) -> Tokens:
        digits = tokens >= offset
        return np.where(digits, table[rows, np.where(digits, tokens - offset, 0)], tokens).astype(np.int32)

    return through(inputs), through(labels)


def augment(board: Board, inputs: Tokens, labels: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
    """A random symmetry for each puzzle, the same for its input and its label; shapes (n, cells)."""
    n, side = len(inputs), board.side
    rows = _lines(n, side, board.box_rows, rng)[:, :, None] * side
    columns = _lines(n, side, board.box_cols, rng)[:, None, :]
    source = rows + columns
    if board.square:
        flip = rng.random(n) < 0.5
        source[flip] = source[flip].transpose(0, 2, 1)
    source = source.reshape(n, board.cells)
    return relabel(board, np.take_along_axis(inputs, source, axis=1), np.take_along_axis(labels, source, axis=1), rng)


def _lines(n: int, side: int, size: int, rng: np.random.Generator) -> Indices:
    """For each puzzle the old number of every new line, shape (n, side): bands shuffled, and the lines in each."""
    count = side // size
    bands = _orders(n, count, rng)[:, :, None] * size
    within = _orders(n * count, size, rng).reshape(n, count, size)
    return (bands + within).reshape(n, side)


def _orders(n: int, k: int, rng: np.random.Generator) -> Indices:
    """Random permutations of k, shape (n, k)."""
    return rng.random((n, k), dtype=np.float32).argsort(axis=1)
