"""The board as lines of text. Every mark is a sign as well as a colour, so that it reads with colours off."""

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.base import Tokens
from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.notation import BLANK


def draw(board: Board, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
    """Lines with rich markup; each cell is three columns wide.

    Givens are bold, blanks a dim `·`. A cell that differs from `before` is green and led by `›`; one that breaks a rule
    (twice in a unit, not its given, no digit at all) is red and followed by `!`.
    """
    shown = puzzle if answer is None else answer
    given = puzzle > BLANK
    wrong = faults(board, puzzle, shown)
    changed = np.zeros(board.cells, bool) if before is None else before != shown
    cells = [_cell(board, int(shown[i]), bool(given[i]), bool(changed[i]), bool(wrong[i])) for i in range(board.cells)]
    bar = "─" * 3 * board.box_cols
    stacks = board.side // board.box_cols
    lines = [f"┌{'┬'.join([bar] * stacks)}┐"]
    for row in range(board.side):
        if row and row % board.box_rows == 0:
            lines.append(f"├{'┼'.join([bar] * stacks)}┤")
        start = row * board.side
        parts = ["".join(cells[start + k : start + k + board.box_cols]) for k in range(0, board.side, board.box_cols)]
        lines.append(f"│{'│'.join(parts)}│")
    lines.append(f"└{'┴'.join([bar] * stacks)}┘")
    return "\n".join(lines)


def faults(board: Board, puzzle: Tokens, shown: Tokens) -> npt.NDArray[np.bool_]:
    """Cells that break a rule by themselves, or are not their given; (cells,)."""
    found: npt.NDArray[np.bool_] = broken(board, shown) | ((puzzle > BLANK) & (shown != puzzle))
    return found


def broken(board: Board, tokens: Tokens) -> npt.NDArray[np.bool_]:
    """Cells whose digit stands twice in a row, column or box, or whose token is neither digit nor blank; (cells,)."""
    wrong: npt.NDArray[np.bool_] = (tokens < BLANK) | (tokens > board.side + 1)
    for _, cells in board.units:
        unit = tokens[cells]
        twice = (unit[:, None] == unit[None, :]).sum(axis=1) > 1
        wrong[cells] |= twice & (unit > BLANK)
    return wrong


def _cell(board: Board, token: int, given: bool, changed: bool, wrong: bool) -> str:
    if token == BLANK:
        symbol, style = "·", "dim"
    else:
        known = BLANK < token <= board.side + 1
        symbol, style = board.symbols[token - BLANK - 1] if known else "?", "bold" if given else ""
    styles = [style, "red" if wrong else "green" if changed else ""]
    text = f"{'›' if changed else ' '}{symbol}{'!' if wrong else ' '}"
    markup = " ".join(filter(None, styles))
    return f"[{markup}]{text}[/]" if markup else text
