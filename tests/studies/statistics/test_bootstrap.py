"""Intervals against simulation, scipy, and cases that are plain."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.studies.statistics import hierarchical_interval, paired_interval

differences = st.lists(st.integers(-100, 100).map(lambda n: n / 10), min_size=2, max_size=12)


@given(values=differences)
def test_the_interval_lies_between_the_extremes(values: list[float]) -> None:
    low, high = paired_interval(values, resamples=500)
    assert min(values) - 1e-9 <= low <= high <= max(values) + 1e-9


@given(values=differences, shift=st.integers(-8, 8), scale=st.sampled_from([0.25, 2.0, 16.0]))
def test_units_and_origin_do_not_matter(values: list[float], shift: int, scale: float) -> None:
    low, high = paired_interval(values, resamples=500)
    moved = paired_interval(np.array(values) * scale + shift, resamples=500)
    assert moved == pytest.approx((low * scale + shift, high * scale + shift), abs=1e-6)


def test_equal_differences_leave_nothing_open() -> None:
    assert paired_interval([0.3, 0.3, 0.3]) == pytest.approx((0.3, 0.3))
    assert hierarchical_interval(np.full((3, 10), 0.5)) == pytest.approx((0.5, 0.5))


def test_an_outlier_lengthens_the_interval_on_its_own_side() -> None:
    values = [0.0, 0.1, 0.2, 0.1, 0.0, 0.1, 0.2, 5.0]
    low, high = paired_interval(values)
    mean = np.mean(values)
    assert high - mean > 2 * (mean - low)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    ends = np.array([paired_interval(generator.normal(size=20), resamples=1000, seed=i) for i in range(400)])
    held = ((ends[:, 0] <= 0) & (ends[:, 1] >= 0)).mean()
    assert 0.90 <= held <= 0.98


def test_seeds_and_items_both_count() -> None:
    # Gains = a seed's own + an item's own. Drawing seeds alone would leave out the items, and hold far too rarely.
    generator, held, by_seed = np.random.default_rng(1), 0, 0
    for trial in range(200):
        table = generator.normal(size=(12, 1)) * 0.2 + generator.normal(size=(1, 30))
        low, high = hierarchical_interval(table, resamples=500, seed=trial)
        held += low <= 0 <= high
        low, high = paired_interval(table.mean(axis=1), resamples=500, seed=trial)
        by_seed += low <= 0 <= high
    assert held / 200 >= 0.88
    assert by_seed / 200 < 0.7


def test_one_pair_has_no_interval() -> None:
    with pytest.raises(DataError, match="two pairs or more"):
        paired_interval([1.0])


def test_it_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is no dependency; install it to compare with")
    first, second = np.random.default_rng(2).gamma(2.0, size=(2, 15))
    found = stats.bootstrap(
        (first, second),
        lambda a, b, axis: np.mean(b - a, axis=axis),
        paired=True,
        vectorized=True,
        method="BCa",
        n_resamples=20_000,
        rng=np.random.default_rng(3),
    ).confidence_interval
    assert paired_interval(second - first, resamples=20_000) == pytest.approx((found.low, found.high), abs=0.03)
