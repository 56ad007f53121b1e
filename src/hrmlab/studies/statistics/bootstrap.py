"""Intervals of the mean difference between two arms that were run with the same seeds on the same test items."""

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.studies.statistics.base import CHUNK, Floats, Interval, below, numbers, percentiles, quantile


def paired_interval(
    differences: npt.ArrayLike, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Bias-corrected and accelerated bootstrap of the mean of paired differences, (pairs,); Efron 1987.

    Few pairs make it too narrow, as they make every bootstrap: of normal differences, five pairs gave an interval that
    held the true mean 83% of the time, ten 91%, twenty 93%. What is to be decided is for `sign_flip`, which is exact.

    Raises:
        DataError: fewer than two pairs.
    """
    values = numbers(differences)
    if len(values) < 2:
        raise DataError(f"an interval over {len(values)} pair came; wanted two pairs or more")
    centre, generator = float(values.mean()), np.random.default_rng(seed)
    if np.ptp(values) == 0:
        return centre, centre
    means = values[generator.integers(len(values), size=(resamples, len(values)))].mean(axis=1)
    tied = np.isclose(means, centre, rtol=0, atol=1e-12 * np.abs(values).max())
    bias = quantile(float(((means < centre) & ~tied).mean() + tied.mean() / 2))
    ends = [_shifted(quantile(p), bias, _acceleration(values)) for p in ((1 - confidence) / 2, (1 + confidence) / 2)]
    low, high = np.quantile(means, ends)
    return float(low), float(high)


def hierarchical_interval(
    differences: npt.ArrayLike, confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Bootstrap of the mean difference over seeds and then test items, (seeds, items).

    All seeds answer the same items, so one draw of items serves all seeds of a resample: an item that is hard is hard
    for all of them (the "pigeonhole" bootstrap, Owen 2007). It is too wide where neither seeds nor items matter, and
    with few seeds too narrow where seeds matter most: five of them held the true mean 81% of the time.
    """
    table, generator = numbers(differences, 2), np.random.default_rng(seed)
    seeds, items = table.shape
    found = []
    for start in range(0, resamples, CHUNK):
        size = min(CHUNK, resamples - start)
        by_seed = generator.multinomial(seeds, np.full(seeds, 1 / seeds), size) / seeds
        by_item = generator.multinomial(items, np.full(items, 1 / items), size) / items
        found.append(((by_seed @ table) * by_item).sum(axis=1))
    return percentiles(np.concatenate(found), confidence)


def _acceleration(values: Floats) -> float:
    """How the spread of the mean changes with the mean, from leaving out one value at a time."""
    influence = values - values.mean()
    return float((influence**3).sum() / (6 * (influence**2).sum() ** 1.5))


def _shifted(z: float, bias: float, acceleration: float) -> float:
    return below(bias + (bias + z) / (1 - acceleration * (bias + z)))
