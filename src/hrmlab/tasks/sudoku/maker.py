"""The pure-Python generator: twin of cpp/maker.hpp, draw for draw."""

from hrmlab.tasks.sudoku.engine import Wishes
from hrmlab.tasks.sudoku.solver import Masks, Search, State, branch_bit, read, settle, start

WORD = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
RATING_BUDGET, ATTEMPTS, CLIMB_STEPS = 10_000_000, 1000, 200


def mix(z: int) -> int:
    """The output function of splitmix64: scrambles 64 bits."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


class Stream:
    """splitmix64; puzzle `index` of `seed` has a stream of its own."""

    def __init__(self, seed: int, index: int) -> None:
        self.state = mix((mix((seed + GOLDEN) & WORD) + index * GOLDEN) & WORD)

    def below(self, n: int) -> int:
        self.state = (self.state + GOLDEN) & WORD
        return ((mix(self.state) >> 32) * n) >> 32

    def shuffle(self, items: list[int]) -> None:
        for i in range(len(items) - 1, 0, -1):
            j = self.below(i + 1)
            items[i], items[j] = items[j], items[i]


class Maker:
    """Makes one puzzle. Grids are the cells of each digit, as bit masks."""

    def __init__(self, masks: Masks, rng: Stream, wishes: Wishes) -> None:
        self.masks, self.rng, self.wishes = masks, rng, wishes
        self.cells, self.side = masks.board.cells, masks.board.side
        self.proof_budget = 20_000 if self.side <= 9 else 500
        self.solution: list[int] = []
        self.puzzle: list[int] = []
        self.witness: dict[int, list[int]] = {}

    def make(self) -> int:
        """Make `puzzle` and `solution`; the rating, or -1 if no attempt met the wishes."""
        for _ in range(ATTEMPTS):
            self._random_grid()
            self.puzzle, self.witness = self.solution.copy(), {}
            order = list(range(self.cells))
            self.rng.shuffle(order)
            if not self._dig(self.puzzle, order):
                continue
            rating = self._rate(self.puzzle)
            if rating < self.wishes.lowest:
                rating = self._climb(rating)
            if self.wishes.lowest <= rating <= self.wishes.highest:
                return rating
        return -1

    def _random_grid(self) -> None:
        while True:
            self._budget = 10 * self.cells
            if self._fill(start(self.masks, [0] * self.side)):
                return

    def _fill(self, state: State) -> bool:
        bit = branch_bit(self.masks, state)
        if not bit:
            self.solution = state.cells_of
            return True
        digits = [digit for digit, cells in enumerate(state.cells_of) if cells & bit]
        self.rng.shuffle(digits)
        for digit in digits:
            self._budget -= 1
            if self._budget < 0:
                return False
            after = state.with_value(bit, digit)
            if settle(self.masks, after) and self._fill(after):
                return True
        return False

    def _follows(self, grid: list[int], digit: int, bit: int) -> bool:
        """Whether a clue follows from the others. A grid that once showed it does not is kept: while it agrees with the
        clues it saves the search."""
        others = grid.copy()
        others[digit] ^= bit
        witness = self.witness.get(bit)
        if witness and not any(clues & ~cells for clues, cells in zip(others, witness, strict=True)):
            return False
        state = start(self.masks, others)
        state.cells_of[digit] &= ~bit
        search = Search(self.masks, 1, self.proof_budget)
        search.run(state)
        if search.found:
            self.witness[bit] = search.first
        return search.found == 0 and not search.spent

    def _dig(self, grid: list[int], order: list[int]) -> bool:
        """Remove clues in this order where the solution stays unique; False if the number of givens is out of reach."""
        wanted = self.wishes.givens or 0
        clues = sum(cells.bit_count() for cells in grid)
        for cell in order:
            if clues == wanted:
                break
            bit = 1 << cell
            digit = next(d for d, cells in enumerate(grid) if cells & bit)
            if self._follows(grid, digit, bit):
                grid[digit] ^= bit
                clues -= 1
        return wanted in (0, clues)

    def _rate(self, grid: list[int]) -> int:
        search = Search(self.masks, 2, RATING_BUDGET)
        search.run(start(self.masks, grid))
        return search.guesses

    def _climb(self, rating: int) -> int:
        """Give back two to four clues, dig again, keep what is no easier: a walk over the puzzles of one solution."""
        for _ in range(CLIMB_STEPS):
            if rating >= self.wishes.lowest:
                break
            grid = self.puzzle.copy()
            order = [cell for cell in range(self.cells) if any(cells >> cell & 1 for cells in grid)]
            self.rng.shuffle(order)
            back = 2 + self.rng.below(3)
            while back and len(order) < self.cells:
                cell = self.rng.below(self.cells)
                bit = 1 << cell
                if any(cells & bit for cells in grid):
                    continue
                grid = [mine | theirs & bit for mine, theirs in zip(grid, self.solution, strict=True)]
                order.append(cell)
                back -= 1
            if not self._dig(grid, order):
                continue
            now = self._rate(grid)
            if rating <= now <= self.wishes.highest:
                rating, self.puzzle = now, grid
        return rating

    def grids(self) -> tuple[list[int], list[int]]:
        """Puzzle and solution as digits from 1, 0 = empty."""
        return read(State(self.puzzle), self.cells), read(State(self.solution), self.cells)
