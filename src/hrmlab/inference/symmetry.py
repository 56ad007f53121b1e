"""A task's random symmetries as permutations that can be undone."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.base import Tokens

Augment = Callable[[Tokens, Tokens, np.random.Generator], tuple[Tokens, Tokens]]


@dataclass(frozen=True)
class Symmetry:
    """cells: the old place of every new cell, (N,). tokens: what every token is turned into, (V,)."""

    cells: npt.NDArray[np.int64]
    tokens: npt.NDArray[np.int64]

    def apply(self, grid: Tokens) -> Tokens:
        """(N,) -> (N,)."""
        return self.tokens[grid[self.cells]].astype(np.int32)

    def labels(self, grid: Tokens) -> Tokens:
        """As `apply`, where unscored cells keep their mark."""
        moved = grid[self.cells]
        return np.where(moved < 0, moved, self.tokens[np.maximum(moved, 0)]).astype(np.int32)

    def undo(self, grid: Tokens) -> Tokens:
        """`undo(apply(x))` is x."""
        found = np.empty_like(grid)
        found[self.cells] = np.argsort(self.tokens)[grid]
        return found


def draw_symmetry(augment: Augment, cells: int, vocabulary: int, rng: np.random.Generator) -> Symmetry:
    """One symmetry, read off what a task's augmentation does to a board of known content.

    Args:
        augment: permutes cells and relabels tokens, the cells of inputs and labels alike; labels below 0 stay.
        cells, vocabulary: N and V; a board must have room for every token.
    """
    content = np.arange(cells) % vocabulary
    numbers = -1 - np.arange(cells)
    turned, places = augment(content[None].astype(np.int32), numbers[None].astype(np.int32), rng)
    source = -1 - places[0].astype(np.int64)
    tokens = np.arange(vocabulary)
    tokens[content[source]] = turned[0]
    return Symmetry(source, tokens)
