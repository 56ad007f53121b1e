"""Rectangular boards: symmetries, neighbours and shortest distances, as index arrays and on whole batches."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

MOST_CELLS = 2**20
"""Of a board: arrays of so many rows are made before the first puzzle is read."""

Indices = npt.NDArray[np.intp]
Mask = npt.NDArray[np.bool_]


@lru_cache(maxsize=32)
def dihedral(rows: int, columns: int) -> Indices:
    """The symmetries of a board as gathers: `flat[dihedral(r, c)[k]]` is the board under symmetry k.

    Order of a square: identity, rotations by 90, 180 and 270 degrees, flip left-right, flip up-down, transpose,
    anti-transpose. Of any other rectangle, the four that keep its shape: identity, 180 degrees, and the two flips.

    Returns:
        shape (8 or 4, rows * columns), read-only.
    """
    board = np.arange(rows * columns).reshape(rows, columns)
    symmetries = [board, np.rot90(board, 2), np.fliplr(board), np.flipud(board)]
    if rows == columns:
        turned = np.rot90(board, 1)
        symmetries = [board, turned, symmetries[1], np.rot90(board, 3), *symmetries[2:], board.T, np.fliplr(turned)]
    table = np.stack([symmetry.reshape(-1) for symmetry in symmetries])
    table.setflags(write=False)
    return table


@lru_cache(maxsize=32)
def neighbours(rows: int, columns: int) -> Indices:
    """The cell above, below, left and right of each, -1 outside the board; shape (rows * columns, 4), read-only."""
    board = np.full((rows + 2, columns + 2), -1)
    board[1:-1, 1:-1] = np.arange(rows * columns).reshape(rows, columns)
    sides = board[:-2, 1:-1], board[2:, 1:-1], board[1:-1, :-2], board[1:-1, 2:]
    table = np.stack([side.reshape(-1) for side in sides], axis=1)
    table.setflags(write=False)
    return table


def spread(cells: Mask) -> Mask:
    """Which cells have one of `cells`, shape (n, rows, columns), above, below, left or right of them."""
    out = np.zeros_like(cells)
    out[:, 1:] |= cells[:, :-1]
    out[:, :-1] |= cells[:, 1:]
    out[:, :, 1:] |= cells[:, :, :-1]
    out[:, :, :-1] |= cells[:, :, 1:]
    return out


def flood(start: Mask, passable: Mask) -> npt.NDArray[np.int32]:
    """Steps from the start cells to every cell over passable ones, -1 where there is no way.

    Args:
        start, passable: shape (n, rows, columns); a start cell need not be passable.

    Returns:
        steps, shape (n, rows, columns).
    """
    steps = np.where(start, 0, -1).astype(np.int32)
    fresh, left, count = start, passable & ~start, 0
    while fresh.any():
        count += 1
        fresh = spread(fresh) & left
        left = left & ~fresh
        steps[fresh] = count
    return steps


def dead_ends(cells: Mask, ends: Mask) -> Mask:
    """Which of `cells` have fewer than two neighbours among `cells` and `ends`; all shape (n, rows, columns)."""
    count = np.zeros(cells.shape, np.int8)
    line = (cells | ends).astype(np.int8)
    count[:, 1:] += line[:, :-1]
    count[:, :-1] += line[:, 1:]
    count[:, :, 1:] += line[:, :, :-1]
    count[:, :, :-1] += line[:, :, 1:]
    return cells & (count < 2)
