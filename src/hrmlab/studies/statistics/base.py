"""What the statistics share: arrays of scores, intervals, and what cannot be compared."""

from statistics import NormalDist
from typing import Literal

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError

Floats = npt.NDArray[np.float64]
Interval = tuple[float, float]
Alternative = Literal["two-sided", "greater", "less"]

CHUNK = 1000
"""Resamples that are drawn at once: memory stays small whatever their number."""


def numbers(values: npt.ArrayLike, dimensions: int = 1) -> Floats:
    """The values as an array.

    Raises:
        DataError: another number of dimensions, nothing in it, or a value that is not finite.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != dimensions or not array.size:
        raise DataError(f"scores of shape {array.shape} came; wanted {dimensions} dimensions and at least one score")
    if not np.isfinite(array).all():
        raise DataError("a score is not a finite number; record the cell as failed, do not leave it out")
    return array


def quantile(probability: float) -> float:
    """Of the standard normal distribution."""
    return NormalDist().inv_cdf(probability)


def below(value: float) -> float:
    """The standard normal probability of a smaller number."""
    return NormalDist().cdf(value)


def percentiles(samples: Floats, confidence: float) -> Interval:
    """The middle share of resampled values."""
    low, high = np.quantile(samples, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
