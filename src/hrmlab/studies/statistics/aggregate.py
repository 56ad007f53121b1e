"""One number for many runs on many tasks, and how far it may be off.

Agarwal et al. 2021, arXiv 2108.13264: the mean follows outliers, the median ignores half of the runs.
"""

import numpy as np
import numpy.typing as npt

from hrmlab.studies.statistics.base import CHUNK, Floats, Interval, numbers, percentiles


def interquartile_mean(scores: npt.ArrayLike) -> float:
    """Mean of the middle half of all scores, shape (runs, tasks); a quarter, rounded down, is cut off each end."""
    return float(_middle(numbers(scores, 2).ravel()))


def interquartile_interval(
    scores: npt.ArrayLike, confidence: float = 0.95, resamples: int = 50_000, seed: int = 0
) -> Interval:
    """Stratified bootstrap of the interquartile mean: the runs of each task, (runs, tasks), are drawn by themselves."""
    table, generator = numbers(scores, 2), np.random.default_rng(seed)
    found = []
    for start in range(0, resamples, CHUNK):
        drawn = generator.integers(len(table), size=(min(CHUNK, resamples - start), *table.shape))
        found.append(_middle(np.take_along_axis(table[None], drawn, axis=1).reshape(len(drawn), -1)))
    return percentiles(np.concatenate(found), confidence)


def _middle(scores: Floats) -> Floats:
    """The mean of the middle half along the last axis."""
    cut = scores.shape[-1] // 4
    mean: Floats = np.sort(scores, axis=-1)[..., cut : scores.shape[-1] - cut].mean(axis=-1)
    return mean
