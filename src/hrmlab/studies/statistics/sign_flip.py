"""The exact test of paired differences: had the arms been alike, each difference might as well have had the other sign.

Fisher 1935. It assumes nothing but that symmetry, and so cannot be fooled by five runs that are not normal.
"""

import numpy as np
import numpy.typing as npt

from hrmlab.studies.statistics.base import CHUNK, Alternative, Floats, numbers

EXHAUSTIVE = 16
"""Pairs up to which all 2^n sign patterns are tried."""
SAMPLED = 100_000
"""Patterns drawn for more pairs."""


def sign_flip(differences: npt.ArrayLike, alternative: Alternative = "two-sided", seed: int = 0) -> float:
    """The p-value of the mean difference, (pairs,).

    Up to 16 pairs it is exact. Beyond, patterns are drawn and the one that occurred is counted with them, which keeps
    the test valid (Phipson and Smyth 2010).
    """
    values = numbers(differences)
    values = -values if alternative == "less" else values
    total, slack = values.sum(), 1e-12 * np.abs(values).sum()  # sums of equal patterns differ in the last digits
    exact = len(values) <= EXHAUSTIVE
    sums = _all_sums(values) if exact else _some_sums(values, seed)
    as_large = (np.abs(sums) >= abs(total) - slack) if alternative == "two-sided" else (sums >= total - slack)
    return float(as_large.mean()) if exact else float((as_large.sum() + 1) / (len(sums) + 1))


def smallest_p(pairs: int, alternative: Alternative = "two-sided") -> float:
    """The least p-value that `sign_flip` can give, whatever the effect: with five pairs 1/16, or 1/32 on one side."""
    least: float = 2.0 ** (1 - pairs if alternative == "two-sided" else -pairs)
    return min(least, 1.0) if pairs <= EXHAUSTIVE else 1 / (SAMPLED + 1)


def _all_sums(values: Floats) -> Floats:
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def _some_sums(values: Floats, seed: int) -> Floats:
    generator = np.random.default_rng(seed)
    drawn = (generator.integers(2, size=(CHUNK, len(values))) * 2 - 1 for _ in range(SAMPLED // CHUNK))
    return np.concatenate([signs @ values for signs in drawn])
