"""Sudoku as people type it: one line of symbols, or a pasted grid with or without frame."""

import math

import numpy as np

from hrmlab.errors import DataError
from hrmlab.tasks.base import Tokens
from hrmlab.tasks.sudoku.board import SYMBOLS, Board

PAD, BLANK = 0, 1
_EMPTY = ".0·"
_FRAME = "|-+" + "".join(map(chr, range(0x2500, 0x2580)))


def parse(board: Board, text: str) -> Tokens:
    """Token ids, shape (cells,). Blanks are `.`, `0` or `·`; white space, `|`, `-`, `+` and drawn lines are skipped.

    Raises:
        DataError: wrong length, a symbol that the board does not have, or a digit twice in a row, column or box.
    """
    symbols = [symbol for symbol in text.upper() if not symbol.isspace() and symbol not in _FRAME]
    if len(symbols) != board.cells:
        raise DataError(_wrong_length(board, len(symbols)))
    tokens = np.full(board.cells, BLANK, np.int32)
    for cell, symbol in enumerate(symbols):
        if symbol in _EMPTY:
            continue
        if symbol not in board.symbols:
            raise DataError(
                f"'{symbol}' at {board.where(cell)} is no symbol of a {board} Sudoku; "
                f"type {board.symbols[0]} to {board.symbols[-1]}, and '.' or '0' for a blank"
            )
        tokens[cell] = BLANK + 1 + board.symbols.index(symbol)
    if problem := contradiction(board, tokens):
        raise DataError(f"{problem}; change one of them, or type '.' for a blank")
    return tokens


def format_line(board: Board, tokens: Tokens) -> str:
    """The cells row by row, `.` for a blank.

    Raises:
        DataError: not (cells,), or a token that is neither blank nor digit.
    """
    check_shape(board, tokens)
    alphabet = "." + board.symbols
    wrong = np.flatnonzero((tokens < BLANK) | (tokens > board.side + 1))
    if len(wrong):
        cell = int(wrong[0])
        raise DataError(
            f"token {tokens[cell]} at {board.where(cell)} cannot be written; "
            f"wanted 1 (blank) or 2 to {board.side + 1} (digits)"
        )
    return "".join(alphabet[token - BLANK] for token in tokens)


def check_shape(board: Board, tokens: Tokens) -> None:
    """Raises:
    DataError: the array is not one board of tokens.
    """
    if np.shape(tokens) != (board.cells,):
        raise DataError(f"a {board} Sudoku is an array of shape ({board.cells},), {np.shape(tokens)} came")


def contradiction(board: Board, tokens: Tokens) -> str | None:
    """The first digit that stands twice in a row, column or box, with both places, or None."""
    for name, cells in board.units:
        seen: dict[int, int] = {}
        for cell in cells:
            token = int(tokens[cell])
            if token > BLANK:
                if token in seen:
                    places = f"{board.where(seen[token])} and {board.where(int(cell))}"
                    return f"{board.symbols[token - BLANK - 1]} stands twice in {name}: at {places}"
                seen[token] = int(cell)
    return None


def _wrong_length(board: Board, came: int) -> str:
    message = f"a {board} Sudoku has {board.cells} cells, {came} came"
    side = math.isqrt(came)
    if came and side * side == came and 4 <= side <= len(SYMBOLS):
        rows = next((k for k in range(math.isqrt(side), 1, -1) if side % k == 0), None)
        if rows:
            return f"{message}; that fits {side}x{side}: set box_rows={rows} and box_cols={side // rows}"
    return f"{message}; type one symbol a cell, row by row, '.' or '0' for a blank"
