"""How far a probability of being right can be believed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hrmlab.analysis.traces import Flags, Floats

BINS = 15


@dataclass(frozen=True)
class Calibration:
    """Of probabilities p that an answer is right, against whether it was.

    ece, ece_mass: expected calibration error over 15 bins of equal width, and of equal numbers.
    brier: mean squared error of p. auroc: chance that a right answer has the larger p; None where all are alike.
    reliability: (mean p, share right, count) of each bin of equal width that is not empty.
    """

    ece: float
    ece_mass: float
    brier: float
    auroc: float | None
    reliability: list[tuple[float, float, int]]


def calibration(p: Floats, right: Flags) -> Calibration:
    """Flat arrays of equal length, at least one."""
    width = np.minimum((p * BINS).astype(int), BINS - 1)
    mass = np.argsort(np.argsort(p, kind="stable"), kind="stable") * BINS // len(p)
    by_width, by_mass = _bins(p, right, width), _bins(p, right, mass)
    return Calibration(
        ece=_error(by_width, len(p)),
        ece_mass=_error(by_mass, len(p)),
        brier=float(((p - right) ** 2).mean()),
        auroc=auroc(p, right),
        reliability=by_width,
    )


def auroc(p: Floats, right: Flags) -> float | None:
    """Area under the receiver operating characteristic, ties counting half."""
    yes, no = int(right.sum()), int((~right).sum())
    if not yes or not no:
        return None
    _, where, counts = np.unique(p, return_inverse=True, return_counts=True)
    ends = counts.cumsum()
    ranks = ((ends - counts + 1 + ends) / 2)[where]
    return float((ranks[right].sum() - yes * (yes + 1) / 2) / (yes * no))


def _bins(p: Floats, right: Flags, index: npt.NDArray[np.int64]) -> list[tuple[float, float, int]]:
    filled = [index == at for at in range(BINS) if (index == at).any()]
    return [(float(p[bin].mean()), float(right[bin].mean()), int(bin.sum())) for bin in filled]


def _error(bins: list[tuple[float, float, int]], total: int) -> float:
    return sum(count * abs(mean - share) for mean, share, count in bins) / total
