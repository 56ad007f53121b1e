"""Calibration against definitions written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.analysis.calibration import BINS, auroc, calibration

pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def arrays_of(rows: list[tuple[float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in rows]), np.array([r for _, r in rows])


@given(rows=pairs)
def test_the_area_under_the_curve_is_the_share_of_ordered_pairs(rows: list[tuple[float, bool]]) -> None:
    p, right = arrays_of(rows)
    wins = [(a > b) + (a == b) / 2 for a in p[right] for b in p[~right]]
    assert auroc(p, right) == (pytest.approx(np.mean(wins)) if wins else None)


@given(rows=pairs)
def test_the_error_is_the_mean_gap_of_its_bins(rows: list[tuple[float, bool]]) -> None:
    p, right = arrays_of(rows)
    found = calibration(p, right)
    gap = 0.0
    for low in range(BINS):
        inside = [i for i in range(len(p)) if min(int(p[i] * BINS), BINS - 1) == low]
        if inside:
            gap += len(inside) / len(p) * abs(p[inside].mean() - right[inside].mean())
    assert found.ece == pytest.approx(gap)
    assert found.brier == pytest.approx(((p - right) ** 2).mean())
    assert sum(count for _, _, count in found.reliability) == len(p)
    assert 0 <= found.ece_mass <= 1


def test_certainty_that_is_right_is_perfect_and_certainty_that_is_wrong_is_not() -> None:
    right = np.array([True] * 20 + [False] * 20)
    good, bad = calibration(right.astype(float), right), calibration(1.0 - right, right)
    assert (good.ece, good.ece_mass, good.brier, good.auroc) == (0, 0, 0, 1)
    assert bad.ece == 1 and bad.brier == 1 and bad.auroc == 0
