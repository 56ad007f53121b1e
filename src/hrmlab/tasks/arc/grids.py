"""Grids of colours as tokens of a 30x30 board, and back.

Tokens: 0 = padding, 1 = marker of the grid's end, colour c = c + 2. The marker runs down the column right of the grid
and along the row beneath it, where the board has them; the corner where both would meet stays padding. The form is the
reference's (sapientinc/HRM, Samsung TRM).
"""

import numpy as np
import numpy.typing as npt

SIDE = 30
CELLS = SIDE * SIDE
COLOURS = 10
PAD, END, BLACK = 0, 1, 2
VOCABULARY = BLACK + COLOURS

Grid = npt.NDArray[np.uint8]
"""Colours 0 to 9, shape (rows, columns), 1 to 30 each."""
Boards = npt.NDArray[np.uint8]
"""Tokens, shape (n, 900)."""
Integers = npt.NDArray[np.integer]


def place(grids: Grid, rows: Integers | int = 0, columns: Integers | int = 0) -> Boards:
    """Grids of one shape as boards.

    Args:
        grids: colours, shape (n, height, width).
        rows, columns: where the top-left corner of each lies, shape (n,) or one for all; the grid must fit.
    """
    count, height, width = grids.shape
    top, left = (np.broadcast_to(np.asarray(at, np.intp), (count,)) for at in (rows, columns))
    # A row and a column more than the board has take the markers that would lie outside.
    board = np.zeros((count, SIDE + 1, SIDE + 1), np.uint8)
    each = np.arange(count)
    down, across = top[:, None] + np.arange(height), left[:, None] + np.arange(width)
    board[each[:, None, None], down[:, :, None], across[:, None, :]] = grids + np.uint8(BLACK)
    board[each[:, None], (top + height)[:, None], across] = END
    board[each[:, None], down, (left + width)[:, None]] = END
    return np.ascontiguousarray(board[:, :SIDE, :SIDE]).reshape(count, CELLS)


def crop(boards: Integers) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Height and width, shape (n,) each, of the largest rectangle of nothing but colours in the top-left corner.

    Of equally large ones the flattest is taken; without a colour in the corner both are 0.

    Args:
        boards: tokens, shape (n, 900).
    """
    colour = ((boards >= BLACK) & (boards < VOCABULARY)).reshape(-1, SIDE, SIDE)
    run = np.logical_and.accumulate(colour, axis=2).sum(axis=2)
    width = np.minimum.accumulate(run, axis=1)
    height = (width * np.arange(1, SIDE + 1)).argmax(axis=1) + 1
    widths = width[np.arange(len(width)), height - 1]
    return np.where(widths > 0, height, 0), widths


def cut(board: Integers, height: int, width: int) -> Grid:
    """The grid of that size in the top-left corner of one board, shape (900,)."""
    # A colour's token is 2 to 11: unsigned arithmetic is exact.
    return board.reshape(SIDE, SIDE)[:height, :width].astype(np.uint8) - np.uint8(BLACK)


def decode(board: Integers) -> tuple[Grid, int, int] | None:
    """The grid that a board encodes and the row and column of its corner, or None where the board encodes none.

    Args:
        board: tokens as `place` makes them, shape (900,).
    """
    square = board.reshape(SIDE, SIDE)
    rows, columns = (np.flatnonzero((square >= BLACK).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    top, left = int(rows[0]), int(columns[0])
    inside = square[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.int64) - BLACK
    if inside.min() < 0 or inside.max() >= COLOURS:
        return None
    grid = inside.astype(np.uint8)
    return (grid, top, left) if np.array_equal(place(grid[None], top, left)[0], board) else None


def closed(boards: Integers) -> npt.NDArray[np.bool_]:
    """Which boards, shape (n, 900), hold a grid in the top-left corner with its markers around it; shape (n,).

    Cells beyond the markers may hold anything: no answer is asked for there.
    """
    heights, widths = crop(boards)
    square = boards.reshape(-1, SIDE, SIDE)
    inside = np.arange(SIDE)
    beneath = np.take_along_axis(square, np.minimum(heights, SIDE - 1)[:, None, None], axis=1)[:, 0]
    right = np.take_along_axis(square, np.minimum(widths, SIDE - 1)[:, None, None], axis=2)[:, :, 0]
    ended = ((beneath == END) | (inside >= widths[:, None])).all(axis=1) | (heights == SIDE)
    ended &= ((right == END) | (inside >= heights[:, None])).all(axis=1) | (widths == SIDE)
    whole: npt.NDArray[np.bool_] = ended & (heights > 0)
    return whole
