"""Sudoku of any box shape as a task."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError, DataError
from hrmlab.spec import Relation, Symbols, TaskSpec
from hrmlab.tasks.base import TASKS, Face, Split, Task, Tokens
from hrmlab.tasks.sudoku import drawing, notation, symmetry
from hrmlab.tasks.sudoku.board import SYMBOLS, Board
from hrmlab.tasks.sudoku.engine import UNLIMITED, Wishes, engine
from hrmlab.tasks.sudoku.splitting import Progress, Sieve, distinct

_CHECK_BUDGET = 200_000
HARD = 2**62
"""Added to the seed of the training set's hard part, which thus draws from a stream of its own."""


@TASKS.register(source="hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Sudoku(Task):
    """Fill the grid so that every row, column and box holds each digit once.

    Tokens: 0 = padding, 1 = blank, digit d = d + 1. Puzzles are made here, have one solution each, and are rated by the
    guesses of our solver (`hrmlab.tasks.sudoku.engine` defines them).

    box_rows, box_cols: shape of a box; the board has box_rows * box_cols rows and columns, 4 to 16.
    givens: digits given; None makes minimal puzzles, of which no given can be dropped. (On boards beyond 9x9 a given
        also stays where 500 guesses did not show that it can go.)
    rating_min, rating_max: the band of ratings, ends included. Puzzles below it are made harder by a local search that
        keeps the solution grid, one puzzle a grid; their ratings crowd above rating_min. About one in a hundred random
        minimal 9x9 puzzles is rated 32 or more.
    hard_share, hard_rating: that share of the training puzzles is rated `hard_rating` or more; the held-out puzzles are
        left as they fall. Models learn most from puzzles that they do not solve yet, which random ones soon are not.

    Raises:
        ConfigError: a size, number of givens, band or share that cannot be.
    """

    kind: Literal["sudoku"] = "sudoku"
    box_rows: int = 3
    box_cols: int = 3
    givens: int | None = None
    rating_min: int = 0
    rating_max: int | None = None
    hard_share: float = 0.0
    hard_rating: int = 8

    def __post_init__(self) -> None:
        side = self.box_rows * self.box_cols
        if self.box_rows < 2 or self.box_cols < 2 or side > len(SYMBOLS):
            raise ConfigError(
                f"boxes of {self.box_rows}x{self.box_cols} came; wanted at least 2x2 and a board of at most "
                f"{len(SYMBOLS)}x{len(SYMBOLS)}, e.g. box_rows=3 box_cols=3"
            )
        if self.givens is not None and not 1 <= self.givens <= side * side:
            raise ConfigError(f"givens={self.givens} came; wanted 1 to {side * side}, or null for minimal puzzles")
        if self.rating_min < 0 or (self.rating_max is not None and self.rating_max < self.rating_min):
            raise ConfigError(
                f"rating_min={self.rating_min} rating_max={self.rating_max} came; wanted 0 <= rating_min <= rating_max"
            )
        if not 0 <= self.hard_share <= 1:
            raise ConfigError(f"hard_share={self.hard_share} came; wanted a share from 0 to 1")
        if self.hard_share and self.rating_max is not None and self.hard_rating > self.rating_max:
            raise ConfigError(
                f"hard_rating={self.hard_rating} came with rating_max={self.rating_max}; wanted rating_max or less"
            )

    @property
    def board(self) -> Board:
        return Board(self.box_rows, self.box_cols)

    def spec(self) -> TaskSpec:
        board = self.board
        stacks, bands = board.side // board.box_cols, board.side // board.box_rows
        relations = (
            Relation("row", groups=board.rows, tie="line"),
            Relation("column", groups=board.columns, tie="line"),
            Relation("box", groups=board.boxes),
            Relation("box_row", groups=board.rows * stacks + board.columns // board.box_cols, tie="segment"),
            Relation("box_column", groups=board.columns * bands + board.rows // board.box_rows, tie="segment"),
        )
        return TaskSpec(
            seq_len=board.cells,
            vocab_size=board.side + 2,
            shape=(board.side, board.side),
            relations=relations,
            symbols=Symbols(tokens=tuple(range(notation.BLANK + 1, board.side + 2)), blank=notation.BLANK),
        )

    def generate(self, train: int, test: int, seed: int, progress: Progress | None = None) -> Split:
        """Make both sets. The held-out set comes first, from its own stream: it depends on `seed` and `test` alone.

        Args:
            progress: called with the number of puzzles just added, from the calling thread.

        Raises:
            DataError: fewer such puzzles exist than wanted, or none was found.
        """
        if train < 0 or test < 0:
            raise DataError(f"train={train} test={test} came; wanted numbers of puzzles, 0 or more")
        made_by = engine(self.board)
        highest = UNLIMITED if self.rating_max is None else self.rating_max
        wishes = Wishes(self.givens, self.rating_min, highest)
        by_symmetry = self.board.side > 4
        sieve = Sieve(made_by, by_symmetry)
        held_out = distinct(made_by, test, 2 * seed + 1, wishes, sieve, progress)
        hard = round(train * self.hard_share)
        trained_on = distinct(made_by, train - hard, 2 * seed, wishes, sieve, progress)
        if hard:
            harder = replace(wishes, lowest=max(self.hard_rating, wishes.lowest))
            trained_on = trained_on.joined(distinct(made_by, hard, 2 * seed + HARD, harder, sieve, progress))
        return Split(trained_on, held_out, self._protocol(seed, wishes, by_symmetry))

    def parse(self, text: str) -> Tokens:
        return notation.parse(self.board, text)

    def format(self, tokens: Tokens) -> str:
        return notation.format_line(self.board, tokens)

    def check(self, puzzle: Tokens) -> str | None:
        board = self.board
        notation.check_shape(board, puzzle)
        grid = np.where(puzzle > notation.BLANK, puzzle - notation.BLANK, 0)
        if (grid > board.side).any() or notation.contradiction(board, puzzle):
            return "no solution"
        count = int(engine(board).solve(grid[None].astype(np.int8), limit=2, budget=_CHECK_BUDGET).counts[0])
        if count < 0:
            return f"undecided after {_CHECK_BUDGET} guesses"
        return ("no solution", None, "several solutions")[count]

    def valid(self, inputs: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        board = self.board
        if inputs.shape != answers.shape or inputs.ndim != 2 or inputs.shape[1] != board.cells:
            raise DataError(
                f"inputs {inputs.shape} and answers {answers.shape} came; wanted (n, {board.cells}) for both"
            )
        agree = ((inputs <= notation.BLANK) | (inputs == answers)).all(axis=1)
        digits = ((answers > notation.BLANK) & (answers <= board.side + 1)).all(axis=1)
        bits = np.left_shift(1, np.clip(answers - notation.BLANK - 1, 0, board.side - 1))
        full = 2**board.side - 1
        rule: npt.NDArray[np.bool_] = agree & digits
        for groups in (board.rows, board.columns, board.boxes):
            units = bits[:, np.argsort(groups, kind="stable")].reshape(len(bits), board.side, board.side)
            rule &= (np.bitwise_or.reduce(units, axis=2) == full).all(axis=1)
        return rule

    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        for tokens in (puzzle, answer, before):
            if tokens is not None:
                notation.check_shape(self.board, tokens)
        return drawing.draw(self.board, puzzle, answer, before)

    def faces(self) -> tuple[Face, ...]:
        return (Face("?"), Face("", key="."), *(Face(symbol, key=symbol) for symbol in self.board.symbols))

    def broken(self, puzzle: Tokens, answer: Tokens) -> npt.NDArray[np.bool_]:
        return drawing.faults(self.board, puzzle, answer)

    def augment(self, inputs: Tokens, labels: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """A random symmetry for each puzzle of a batch, (n, seq_len): relabelled digits, permuted bands, rows, stacks
        and columns, and transposition where boxes are square. Ratings do not carry over exactly."""
        return symmetry.augment(self.board, inputs, labels, rng)

    def relabel(self, inputs: Tokens, labels: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        """Digits permuted at random for each puzzle of a batch, (n, seq_len); the cells stay where they are."""
        return symmetry.relabel(self.board, inputs, labels, rng)

    def _protocol(self, seed: int, wishes: Wishes, by_symmetry: bool) -> str:
        board = self.board
        what = f"minimal {board} Sudoku" if self.givens is None else f"{board} Sudoku of {self.givens} givens"
        band = f", {wishes.band()}" if wishes.band() else ""
        if self.hard_share:
            band += f", {self.hard_share:.0%} of the training puzzles rated {self.hard_rating} or more"
        apart = "train and test share no puzzle, though they may share symmetric forms (few puzzles differ otherwise)"
        if by_symmetry:
            moves = "relabelling, band/row/stack/column permutation"
            moves = f"{moves} and transposition" if board.square else moves.replace(", ", " and ")
            apart = f"train and test disjoint up to {moves}"
        return f"{what} with unique solutions{band}, seed {seed}; {apart}"
