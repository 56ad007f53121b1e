"""The canonical form of a puzzle in pure Python: twin of cpp/canonical.hpp.

Rows, columns and digits carry 64-bit colours that depend on nothing but the puzzle's structure, refined round by round
from the clues they take part in. Where colours tie, each tied member is singled out in turn and the least grid wins:
the form is exact, and a colliding hash costs time, never truth.
"""

from collections.abc import Sequence

from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.maker import GOLDEN, WORD, mix

ROWS, COLUMNS, DIGITS = range(3)
Clue = tuple[int, int, int]
Colors = list[list[int]]


def canonical(board: Board, grid: Sequence[int]) -> list[int]:
    """The least grid among those that refinement leads to, over both orientations where boxes are square."""
    clues = [(cell // board.side, cell % board.side, digit - 1) for cell, digit in enumerate(grid) if digit]
    forms = [_Refiner(board, clues).least()]
    if board.square:
        forms.append(_Refiner(board, [(column, row, digit) for row, column, digit in clues]).least())
    return min(forms)


class _Refiner:
    def __init__(self, board: Board, clues: list[Clue]) -> None:
        self.board, self.clues = board, sorted(clues)
        self.used = [sorted({clue[kind] for clue in clues}) for kind in range(3)]
        self.boxes = [int(board.boxes[row * board.side + column]) for row, column, _ in self.clues]

    def least(self) -> list[int]:
        return self._search([[kind + 1] * self.board.side for kind in range(3)])

    def _search(self, colors: Colors) -> list[int]:
        self._refine(colors)
        for kind in range(3):
            shades = [colors[kind][i] for i in self.used[kind]]
            tied = [shade for shade in shades if shades.count(shade) > 1]
            if tied:
                shade = min(tied)
                branches = []
                for i in self.used[kind]:
                    if colors[kind][i] == shade:
                        singled = [list(of) for of in colors]
                        singled[kind][i] = mix((shade + 1) & WORD)
                        branches.append(self._search(singled))
                return min(branches)
        return self._leaf(colors)

    def _refine(self, colors: Colors) -> None:
        side = self.board.side
        box = [0] * side
        known = _classes(colors)
        while True:
            sums: Colors = [[0] * side for _ in range(3)]
            boxes = [0] * side
            for clue, at in zip(self.clues, self.boxes, strict=True):
                value = box[at]
                for kind in range(3):
                    value = mix((value * GOLDEN + colors[kind][clue[kind]]) & WORD)
                for kind in range(3):
                    sums[kind][clue[kind]] += value
                boxes[at] += value
            for kind in range(3):
                for i in range(side):
                    colors[kind][i] = mix((colors[kind][i] * GOLDEN + sums[kind][i]) & WORD)
            box = [mix(total & WORD) for total in boxes]
            _add_siblings(colors[ROWS], self.board.box_rows)
            _add_siblings(colors[COLUMNS], self.board.box_cols)
            now = _classes(colors)
            if now <= known:
                return
            known = now

    def _leaf(self, colors: Colors) -> list[int]:
        rows = _places(colors[ROWS], self.board.box_rows)
        columns = _places(colors[COLUMNS], self.board.box_cols)
        ranked = sorted(self.used[DIGITS], key=lambda digit: colors[DIGITS][digit])
        digits = {digit: rank for rank, digit in enumerate(ranked, start=1)}
        grid = [0] * self.board.cells
        for row, column, digit in self.clues:
            grid[rows[row] * self.board.side + columns[column]] = digits[digit]
        return grid


def _classes(colors: Colors) -> int:
    return sum(len(set(of)) for of in colors)


def _add_siblings(color: list[int], size: int) -> None:
    """Lines of one band (stack) learn of each other."""
    for first in range(0, len(color), size):
        total = sum(mix(shade) for shade in color[first : first + size])
        for i in range(first, first + size):
            color[i] = mix((color[i] * GOLDEN + total) & WORD)


def _places(color: list[int], size: int) -> list[int]:
    """The new position of each line: bands by their sorted colours, lines within a band by colour. What still ties is
    empty, and its order does not show."""
    bands = [sorted(range(first, first + size), key=lambda i: color[i]) for first in range(0, len(color), size)]
    bands.sort(key=lambda band: [color[i] for i in band])
    places = [0] * len(color)
    for position, line in enumerate(line for band in bands for line in band):
        places[line] = position
    return places
