"""The pure-Python solver: twin of cpp/solver.hpp with the same solutions and the same guesses.

A board is one integer per digit; bit c says that the digit may still stand in cell c. All cells are looked at in one
operation, which is what makes plain Python bearable. Naked and hidden singles lead to one fixed point in whatever order
they are found, so that the twins need not find them in the same order.
"""

from dataclasses import dataclass, field
from functools import cached_property

from hrmlab.tasks.sudoku.board import Board


@dataclass(frozen=True)
class Masks:
    """Bit masks of a board shape."""

    board: Board

    @cached_property
    def all(self) -> int:
        return (1 << self.board.cells) - 1

    @cached_property
    def units(self) -> list[int]:
        return [sum(1 << int(cell) for cell in cells) for _, cells in self.board.units]

    @cached_property
    def keep(self) -> dict[int, int]:
        """For the bit of a cell: all cells but its peers, itself kept."""
        bits = [1 << cell for cell in range(self.board.cells)]
        keep = {}
        for bit in bits:
            peers = 0
            for unit in self.units:
                if unit & bit:
                    peers |= unit
            keep[bit] = self.all & ~peers | bit
        return keep


@dataclass
class State:
    """Candidates by digit; the cells whose digit is struck from their peers; `seen`: candidates at the last look for
    hidden singles, so that only digits that changed are looked at again."""

    cells_of: list[int]
    done: int = 0
    seen: list[int] = field(default_factory=list)

    def with_value(self, bit: int, digit: int) -> "State":
        """A copy in which a cell holds that digit index."""
        kept = ~bit
        cells_of = [cells if d == digit else cells & kept for d, cells in enumerate(self.cells_of)]
        return State(cells_of, self.done, self.seen.copy())


def settle(masks: Masks, state: State) -> bool:
    """Naked and hidden singles to the fixed point; False if the board contradicts itself."""
    cells_of, keep, side = state.cells_of, masks.keep, masks.board.side
    seen = state.seen = state.seen or [-1] * side
    while True:
        once = twice = 0
        for cells in cells_of:
            twice |= once & cells
            once |= cells
        if once != masks.all:
            return False
        new = once & ~twice & ~state.done
        if new:
            for digit, cells in enumerate(cells_of):
                singles = cells & new
                while singles:
                    bit = singles & -singles
                    cells &= keep[bit]
                    singles ^= bit
                cells_of[digit] = cells
            state.done |= new
            continue
        found = False
        for digit in range(side):
            cells = cells_of[digit]
            if cells == seen[digit]:
                continue
            seen[digit] = cells
            open_cells = cells & ~state.done
            if not open_cells:
                if cells.bit_count() < side:
                    return False
                continue
            hidden = 0
            for unit in masks.units:
                here = cells & unit
                if not here & (here - 1):
                    if not here:
                        return False
                    hidden |= here
            hidden &= open_cells
            if hidden:
                found = True
                for other in range(side):
                    if other != digit:
                        cells_of[other] &= ~hidden
        if not found:
            return True


def branch_bit(masks: Masks, state: State) -> int:
    """Bit of the open cell with fewest candidates, the first of equals; 0 if the board is full."""
    open_cells = masks.all & ~state.done
    if not open_cells:
        return 0
    at_least = [open_cells] + [0] * masks.board.side  # [k]: open cells with k candidates or more
    for cells in state.cells_of:
        for k in range(len(at_least) - 1, 0, -1):
            at_least[k] |= at_least[k - 1] & cells
    for k in range(2, len(at_least)):
        exactly = at_least[k] & ~(at_least[k + 1] if k + 1 < len(at_least) else 0)
        if exactly:
            return exactly & -exactly
    raise AssertionError("a settled board has no open cell with fewer than two candidates")


def read(state: State, cells: int) -> list[int]:
    """The digits of a full board, from 1."""
    grid = [0] * cells
    for digit, places in enumerate(state.cells_of, start=1):
        while places:
            bit = places & -places
            grid[bit.bit_length() - 1] = digit
            places ^= bit
    return grid


class Search:
    """Depth-first search for up to `limit` solutions. A guess is one value tried at a branching cell."""

    def __init__(self, masks: Masks, limit: int, budget: int) -> None:
        self.masks, self.limit, self.budget = masks, limit, budget
        self.found = self.guesses = 0
        self.spent = False
        self.first: list[int] = []

    def run(self, state: State) -> None:
        """Search from a board that may not be settled yet."""
        if not settle(self.masks, state):
            return
        bit = branch_bit(self.masks, state)
        if not bit:
            self.found += 1
            self.first = self.first or state.cells_of
            return
        for digit, cells in enumerate(state.cells_of):
            if cells & bit:
                if self.guesses >= self.budget:
                    self.spent = True
                    return
                self.guesses += 1
                self.run(state.with_value(bit, digit))
                if self.found >= self.limit or self.spent:
                    return


def start(masks: Masks, clues: list[int]) -> State:
    """The board of some clues, given as the cells of each digit."""
    taken = 0
    for cells in clues:
        taken |= cells
    free = masks.all & ~taken
    return State([free | cells for cells in clues])
