"""One answer from many: each variant of a puzzle votes for the grid that it was answered with, turned back.

A candidate is ranked by its votes, then by the mean of the halting head's sigmoid; among equals the earlier one wins.
pass@k counts, for each held-out puzzle, the share of its tests whose answer is among the first k candidates, and takes
the mean over puzzles (sapientinc/HRM, Samsung TRM). Votes are those of one evaluation, in one process or joined from
several: nothing is kept between two.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.tasks.arc.grids import Grid, crop, cut
from hrmlab.tasks.arc.source import Puzzle, puzzle_of
from hrmlab.tasks.arc.variants import Variant, parse_name
from hrmlab.tasks.base import Ballot, Examples, Passes, Tokens
from hrmlab.tasks.layout import IDENTIFIERS, TEST_PUZZLES, load_json

PASSES = (1, 2, 5, 10, 100, 1000)


@dataclass
class Candidate:
    """A grid that was answered. votes: how often; sureness: sum of the halting values."""

    votes: int = 0
    sureness: float = 0.0

    @property
    def rank(self) -> tuple[int, float]:
        return self.votes, self.sureness / self.votes


@dataclass
class Votes(Ballot):
    """The candidates for each test of each held-out puzzle.

    names: of each identifier; puzzles: the held-out ones by name, as they were.
    candidates: by puzzle and key of the test's input grid, the candidates by the key of their grid.
    """

    names: list[str]
    puzzles: Mapping[str, Puzzle]
    candidates: dict[str, dict[bytes, dict[bytes, Candidate]]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> "Votes":
        """An empty count for a data set.

        Raises:
            DataError: `identifiers.json` or `test_puzzles.json` is missing or damaged.
        """
        names, data = load_json(path / IDENTIFIERS), load_json(path / TEST_PUZZLES)
        if not isinstance(names, list) or not isinstance(data, dict):
            raise DataError(f"{path / IDENTIFIERS} or {path / TEST_PUZZLES} is damaged; wanted a list and an object")
        where = path / TEST_PUZZLES
        puzzles = {name: puzzle_of(name, "", value, f"{where}: {name}") for name, value in data.items()}
        return cls([str(name) for name in names], puzzles)

    def add(self, examples: Examples, answers: Tokens, confidence: npt.NDArray[np.float64]) -> None:
        asked, answered = crop(examples.inputs), crop(answers)
        for row, identifier in enumerate(examples.identifiers.tolist()):
            if not identifier:
                continue
            name, variant = parse_name(self.names[identifier])
            if name not in self.candidates:
                self.candidates[name] = {question: {} for question in self._questions(name)}
            puzzle = self.candidates[name]
            question = _key(_undone(examples.inputs[row], asked, row, variant))
            if question not in puzzle:
                raise DataError(
                    f"a test example of {self.names[identifier]} shows a grid that is no test of {name} in "
                    f"{TEST_PUZZLES}; make the data set again"
                )
            key = _key(_undone(answers[row], answered, row, variant))
            candidate = puzzle[question].setdefault(key, Candidate())
            candidate.votes += 1
            candidate.sureness += float(confidence[row])

    def join(self, other: Self) -> None:
        for name, questions in other.candidates.items():
            mine = self.candidates.setdefault(name, {question: {} for question in questions})
            for question, found in questions.items():
                for key, candidate in found.items():
                    into = mine[question].setdefault(key, Candidate())
                    into.votes += candidate.votes
                    into.sureness += candidate.sureness

    def passes(self) -> Passes:
        """Over the puzzles that were asked: all of them, unless only some examples were evaluated."""
        right = np.zeros(len(PASSES))
        for name, questions in self.candidates.items():
            tests = self.puzzles[name].test
            for given, answer in tests:
                found = questions[_key(given)]
                order = sorted(found, key=lambda key: found[key].rank, reverse=True)
                place = order.index(_key(answer)) if _key(answer) in found else None
                right += [(place is not None and place < k) / len(tests) for k in PASSES]
        count = len(self.candidates)
        shares = right / count if count else right
        return Passes(count, {str(k): float(share) for k, share in zip(PASSES, shares, strict=True)})

    def _questions(self, name: str) -> list[bytes]:
        if name not in self.puzzles:
            raise DataError(f"puzzle {name} is asked, but is not in {TEST_PUZZLES}; make the data set again")
        return [_key(given) for given, _ in self.puzzles[name].test]


def _undone(
    board: Tokens, sizes: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]], row: int, variant: Variant
) -> Grid:
    """The grid in the corner of a board, without what the variant did to it."""
    return variant.undo(cut(board, int(sizes[0][row]), int(sizes[1][row])))


def _key(grid: Grid) -> bytes:
    """Equal for equal grids: the shape counts as well as the colours."""
    return blake2b(repr(grid.shape).encode() + grid.tobytes(), digest_size=16).digest()
