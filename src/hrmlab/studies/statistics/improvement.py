"""How often one method beats another."""

import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.studies.statistics.base import numbers


def probability_of_improvement(candidate: npt.ArrayLike, base: npt.ArrayLike) -> float:
    """P(X > Y) of a run X of the candidate, (runs, tasks), and a run Y of the base, (other runs, tasks).

    The mean over tasks; ties count half (Agarwal et al. 2021, arXiv 2108.13264). Runs are taken as independent: shared
    seeds are not used.

    Raises:
        DataError: not the same number of tasks.
    """
    x, y = numbers(candidate, 2), numbers(base, 2)
    if x.shape[1] != y.shape[1]:
        raise DataError(f"{x.shape[1]} and {y.shape[1]} tasks came; wanted the same tasks in both arms")
    gap = x[:, None] - y[None]
    return float(((gap > 0) + (gap == 0) / 2).mean())
