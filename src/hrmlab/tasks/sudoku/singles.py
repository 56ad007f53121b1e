"""In which order plain logic fills a grid: naked and hidden singles, round by round."""

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.sudoku.board import Board


def rounds(board: Board, grids: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
    """The round in which each cell falls to a single, from 1; 0 for givens, -1 for cells that singles do not reach.

    In a round all cells are filled that have one candidate left (naked), or hold a digit's only place in a row, column
    or box (hidden).

    Args:
        grids: digits, 0 for empty, shape (n, cells).
    """
    kinds = (board.rows, board.columns, board.boxes)
    placed = grids[..., None] == np.arange(1, board.side + 1)
    when = np.where(grids > 0, 0, -1).astype(np.int64)
    number = 0
    while True:
        number += 1
        candidate = np.broadcast_to((when < 0)[..., None], placed.shape).copy()
        for groups in kinds:
            candidate &= ~_count(board, groups, placed).astype(bool)[:, groups]
        single = candidate & (candidate.sum(-1, keepdims=True) == 1)
        for groups in kinds:
            single |= candidate & (_count(board, groups, candidate) == 1)[:, groups]
        filled = single.any(-1)
        if not filled.any():
            return when
        when[filled] = number
        placed |= filled[..., None] & (np.arange(board.side) == single.argmax(-1)[..., None])


def _count(board: Board, groups: npt.NDArray[np.integer], cells: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """(n, cells, digits) -> (n, units, digits): how many cells of each unit."""
    order = np.argsort(groups, kind="stable").reshape(board.side, board.side)
    found: npt.NDArray[np.intp] = cells[:, order].sum(2)
    return found
