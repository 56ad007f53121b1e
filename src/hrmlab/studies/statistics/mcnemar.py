"""Two checkpoints on the same puzzles: only the puzzles that one of them gets right tell which is better."""

from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError


@dataclass(frozen=True)
class McNemar:
    """only_first, only_second: puzzles that one alone gets right. p: two-sided, exact."""

    only_first: int
    only_second: int
    p: float


def mcnemar(first: npt.ArrayLike, second: npt.ArrayLike) -> McNemar:
    """McNemar's exact test of which puzzles two checkpoints get right, (n,) each; McNemar 1947.

    It speaks of these two checkpoints, not of the methods that trained them: for those, run several seeds.

    Raises:
        DataError: the two do not answer the same number of puzzles.
    """
    one, other = np.asarray(first, dtype=np.bool_), np.asarray(second, dtype=np.bool_)
    if one.ndim != 1 or one.shape != other.shape:
        raise DataError(f"answers of shapes {one.shape} and {other.shape} came; wanted the same puzzles, (n,), in both")
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    return McNemar(only_first, only_second, _two_sided(min(only_first, only_second), only_first + only_second))


def _two_sided(few: int, tosses: int) -> float:
    """The chance that a fair coin falls at least so unevenly."""
    as_uneven: float = 2 * sum(comb(tosses, k) for k in range(few + 1)) / 2**tosses
    return min(1.0, as_uneven)
