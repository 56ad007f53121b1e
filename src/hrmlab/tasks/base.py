"""What a task is: a vocabulary, a way to make, read, check and draw puzzles, and the structure that models may use.

A task is a frozen dataclass (its own configuration) without state. Arrays are numpy: puzzles and answers are token ids
of shape (n, seq_len), 0 is padding, labels of -100 are not scored. No torch here.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.registry import Part, Registry
from hrmlab.spec import TaskSpec

Tokens = npt.NDArray[np.int32]
IGNORE = -100

TASKS = Registry("task")


@dataclass(frozen=True)
class Examples:
    """Puzzles with their answers.

    inputs, labels: token ids, shape (n, seq_len).
    identifiers: the puzzle identifier of each row (0 = blank), shape (n,).
    rating: difficulty by the task's own measure, shape (n,); for Sudoku the guesses of our solver.
    """

    inputs: Tokens
    labels: Tokens
    identifiers: Tokens
    rating: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.inputs)

    def part(self, rows: slice) -> "Examples":
        """Some of the examples, in memory."""
        return Examples(*(getattr(self, f.name)[rows] for f in fields(self)))

    def joined(self, other: "Examples") -> "Examples":
        """These examples, then the other ones."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return Examples(*(np.concatenate(pair) for pair in pairs))


@dataclass(frozen=True)
class Split:
    """A training and a held-out set, and in words how they are kept apart."""

    train: Examples
    test: Examples
    protocol: str


@dataclass(frozen=True)
class Passes:
    """Puzzles answered by vote. puzzles: how many; shares: by k, of answers among the first k candidates."""

    puzzles: int
    shares: dict[str, float]


@dataclass(frozen=True)
class Face:
    """How a token looks where a board is drawn with more than text.

    text: a sign or two, empty for none.
    paint: what fills the cell, "#rrggbb", or "ink" for the colour of text; empty for nothing.
    key: what is typed to put it into a cell of a puzzle; empty where no puzzle is made by putting it there.
    single: whether a puzzle has it once.
    """

    text: str
    paint: str = ""
    key: str = ""
    single: bool = False


class Ballot(ABC):
    """Counts the answers to variants of the same puzzles, as they come, and says which puzzles they answer together."""

    @abstractmethod
    def add(self, examples: Examples, answers: Tokens, confidence: npt.NDArray[np.float64]) -> None:
        """Count some answers.

        Args:
            examples: what was asked.
            answers: token ids, shape (n, seq_len).
            confidence: the halting head's probability of a right answer, shape (n,).

        Raises:
            DataError: the examples do not belong to the puzzles.
        """

    @abstractmethod
    def join(self, other: Self) -> None:
        """Add what another process counted of other examples of the same data set."""

    @abstractmethod
    def passes(self) -> Passes:
        """What the answers so far come to."""


class Task(Part, ABC):
    """Base of all tasks. A subclass is a frozen, keyword-only dataclass registered in `TASKS`."""

    registry: ClassVar[Registry] = TASKS
    ruled: ClassVar[bool] = True
    """Whether `valid` tells right answers; where its rule is written nowhere, as of a table, only well-formed ones."""
    kind: str

    @abstractmethod
    def spec(self) -> TaskSpec:
        """Sizes, relations and symbols, for building a model."""

    @abstractmethod
    def generate(self, train: int, test: int, seed: int) -> Split:
        """Make a training and a held-out set; the same seed gives the same puzzles on any machine.

        The held-out set depends on `test` and `seed` alone, so that it can be made again without the training set.

        Raises:
            DataError: the task cannot be generated, or not that many distinct puzzles exist.
        """

    @abstractmethod
    def parse(self, text: str) -> Tokens:
        """Token ids, shape (seq_len,), of a puzzle as a person types it.

        Raises:
            DataError: wrong length, unknown symbol, or a puzzle that contradicts itself.
        """

    @abstractmethod
    def format(self, tokens: Tokens) -> str:
        """The one-line text of a grid of token ids; `parse(format(x))` gives x."""

    @abstractmethod
    def check(self, puzzle: Tokens) -> str | None:
        """Why a puzzle is no fair question (no solution, several solutions), or None if it is one."""

    def fair(self, text: str) -> Tokens:
        """A puzzle as a person types it, shape (seq_len,), that is a fair question too.

        Raises:
            DataError: as `parse`, or what `check` finds.
        """
        puzzle = self.parse(text)
        if problem := self.check(puzzle):
            raise DataError(f"{problem}; wanted a puzzle with exactly one solution")
        return puzzle

    def written(self, tokens: Tokens) -> str | None:
        """An answer as text; None where it holds tokens that no puzzle has (padding, say)."""
        try:
            return self.format(tokens)
        except DataError:
            return None

    @abstractmethod
    def valid(self, inputs: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Which answers, shape (n, seq_len), solve their puzzles by the task's own rules; shape (n,)."""

    def solved(self, valid: bool | None) -> bool | None:
        """Whether an answer, valid or not, solves its puzzle; None where nobody can say."""
        return None if valid and not self.ruled else valid

    @abstractmethod
    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        """The board as lines of text with rich markup.

        Givens are bold, cells that changed since `before` are marked, cells that break a rule are red.
        """

    def faces(self) -> tuple[Face, ...]:
        """How each token looks, in order of the ids: its number, where a task says nothing better."""
        return tuple(Face(str(token) if token else "") for token in range(self.spec().vocab_size))

    def broken(self, puzzle: Tokens, answer: Tokens) -> npt.NDArray[np.bool_]:
        """Cells of an answer, shape (seq_len,), that break a rule; none where a task states no rules for cells."""
        return np.zeros(len(puzzle), np.bool_)

    def ballot(self, path: Path) -> Ballot | None:
        """What counts the votes where a data set, at `path`, holds variants of its puzzles; None for most tasks.

        Raises:
            DataError: the data set lacks what it takes.
        """
        return None
