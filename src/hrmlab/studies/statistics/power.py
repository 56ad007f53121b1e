"""What a paired design can find out, before it is run: the least effect it can show, and the seeds an effect takes."""

from math import ceil, inf, sqrt

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.studies.statistics.base import Alternative, numbers, quantile
from hrmlab.studies.statistics.sign_flip import smallest_p


def noise_floor(differences: npt.ArrayLike) -> float:
    """Standard deviation of the difference between two runs of one configuration, from A/A pairs, (pairs,).

    Their true mean is zero, so the spread is taken around zero. A mean over n pairs has this over the root of n; what
    lies within twice that is noise.
    """
    return float(np.sqrt((numbers(differences) ** 2).mean()))


def minimal_detectable(
    deviation: float, pairs: int, alpha: float = 0.05, power: float = 0.8, alternative: Alternative = "two-sided"
) -> float:
    """The least true mean difference that a test at level alpha finds with that power.

    Args:
        deviation: of the paired differences.

    Returns:
        in units of the deviation's; infinite where so few pairs cannot reach the level, whatever the effect. For few
        pairs the normal formula is corrected as for a t-test (Guenther 1981).

    Raises:
        DataError: a deviation below zero.
    """
    if deviation < 0:
        raise DataError(f"a deviation of {deviation} came; wanted 0 or more")
    critical, wanted = _quantiles(alpha, power, alternative)
    if smallest_p(pairs, alternative) > alpha:
        return inf
    return (critical + wanted) * deviation / sqrt(pairs - critical**2 / 2)


def pairs_needed(
    deviation: float, effect: float, alpha: float = 0.05, power: float = 0.8, alternative: Alternative = "two-sided"
) -> int:
    """Paired seeds that it takes to find a true mean difference of `effect`.

    Raises:
        DataError: an effect that is not above zero.
    """
    if effect <= 0:
        raise DataError(f"an effect of {effect} came; wanted more than 0")
    critical, wanted = _quantiles(alpha, power, alternative)
    pairs = ceil(((critical + wanted) * deviation / effect) ** 2 + critical**2 / 2)
    while smallest_p(pairs, alternative) > alpha:
        pairs += 1
    return pairs


def _quantiles(alpha: float, power: float, alternative: Alternative) -> tuple[float, float]:
    return quantile(1 - alpha / (2 if alternative == "two-sided" else 1)), quantile(power)
