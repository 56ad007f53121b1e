"""Variants of a puzzle: one of eight symmetries of its grids, and the colours 1 to 9 permuted (black stays black).

A variant is called `NAME_tT_PERMUTATION`, T from 0 to 7 and the colours in the order of those that they replace, e.g.
`007bbfb7_t3_0213456789`. The reference's later form with `|||` in place of `_` is understood as well.
"""

import re
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.tasks.arc.grids import COLOURS, Grid
from hrmlab.tasks.arc.source import Puzzle

SYMMETRIES = 8
INVERSE = (0, 3, 2, 1, 4, 5, 6, 7)
IDENTITY = tuple(range(COLOURS))
TRIES = 5
"""Draws for each variant wanted, before a puzzle is left with fewer: one of few colours has few variants."""

_NAME = re.compile(r"(?P<puzzle>.+?)(?P<mark>_|\|\|\|)t(?P<symmetry>[0-7])(?P=mark)(?P<colours>0[1-9]{9})")


def turned(grid: Grid, symmetry: int) -> Grid:
    """A grid under one of the eight symmetries: identity, quarter turns to the left, mirrored left-right and up-down,
    transposed, transposed along the other diagonal. `turned(turned(g, t), INVERSE[t])` is g."""
    return (
        grid,
        grid.T[::-1],
        grid[::-1, ::-1],
        grid[::-1].T,
        grid[:, ::-1],
        grid[::-1],
        grid.T,
        grid[::-1, ::-1].T,
    )[symmetry]


@dataclass(frozen=True)
class Variant:
    """How a puzzle was changed. colours: what each of the ten colours became."""

    symmetry: int = 0
    colours: tuple[int, ...] = IDENTITY

    def name(self, puzzle: str) -> str:
        """The name of this variant of a puzzle; the puzzle's own for the identity."""
        return puzzle if self == Variant() else f"{puzzle}_t{self.symmetry}_{''.join(map(str, self.colours))}"

    def apply(self, grid: Grid) -> Grid:
        return turned(np.array(self.colours, np.uint8)[grid], self.symmetry)

    def undo(self, grid: Grid) -> Grid:
        """The grid that this variant made `grid` of."""
        was = np.empty(COLOURS, np.uint8)
        was[list(self.colours)] = IDENTITY
        return was[turned(grid, INVERSE[self.symmetry])]


def parse_name(name: str) -> tuple[str, Variant]:
    """The puzzle and the variant that a name stands for, in either of the reference's forms."""
    match = _NAME.fullmatch(name)
    if match is None or len(set(match["colours"])) != COLOURS:
        return name, Variant()
    return match["puzzle"], Variant(int(match["symmetry"]), tuple(map(int, match["colours"])))


@dataclass(frozen=True, eq=False)
class Variants:
    """The variants of one puzzle, itself first. symmetries: shape (n,); colours: shape (n, 10)."""

    symmetries: npt.NDArray[np.uint8]
    colours: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.symmetries)

    def names(self, puzzle: str) -> list[str]:
        pairs = zip(self.symmetries.tolist(), self.colours.tolist(), strict=True)
        return [Variant(symmetry, tuple(colours)).name(puzzle) for symmetry, colours in pairs]


def choose(puzzle: Puzzle, count: int, seed: int) -> Variants:
    """The puzzle itself and `count` variants, all different in their grids; fewer after `TRIES * count` draws.

    What is drawn depends on the seed and the puzzle's name alone, and is the same with every version of numpy.

    Raises:
        DataError: a negative number.
    """
    if count < 0 or seed < 0:
        raise DataError(f"augmentations={count}, seed={seed}; wanted numbers of 0 or more")
    words = stream(puzzle.name, seed, 0).random_raw(TRIES * count * COLOURS).reshape(-1, COLOURS)
    symmetries = np.append(np.uint8(0), (words[:, 0] >> 61).astype(np.uint8))
    colours = np.zeros((len(symmetries), COLOURS), np.uint8)
    colours[0] = IDENTITY
    colours[1:, 1:] = 1 + np.argsort(words[:, 1:], axis=1, kind="stable")
    grids = [grid for pair in puzzle.pairs for grid in pair]
    turns = [[turned(grid, symmetry) for grid in grids] for symmetry in range(SYMMETRIES)]
    shapes = [repr([grid.shape for grid in turn]).encode() for turn in turns]
    cells = [np.concatenate([grid.reshape(-1) for grid in turn]) for turn in turns]
    seen: set[bytes] = set()
    kept: list[int] = []
    for at, symmetry in enumerate(symmetries.tolist()):
        content = shapes[symmetry] + colours[at][cells[symmetry]].tobytes()
        key = blake2b(content, digest_size=16).digest()
        if key not in seen:
            seen.add(key)
            kept.append(at)
            if len(kept) > count:
                break
    return Variants(symmetries[kept], colours[kept])


def stream(name: str, seed: int, purpose: int) -> np.random.Philox:
    """Random words that depend on a puzzle's name, the seed and what they are for."""
    own = int.from_bytes(blake2b(name.encode(), digest_size=16).digest(), "little")
    return np.random.Philox(np.random.SeedSequence((seed, own), spawn_key=(purpose,)))
