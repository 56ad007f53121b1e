"""What a design can find, against simulation and statsmodels."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.studies.statistics import minimal_detectable, noise_floor, pairs_needed, sign_flip


def test_the_noise_floor_by_hand() -> None:
    assert noise_floor([3, -4, 0, 0]) == 2.5
    assert noise_floor([2, 2]) == 2  # a common shift of two equal arms is noise too


def test_what_cannot_reach_the_level_detects_nothing() -> None:
    assert minimal_detectable(1.0, 5) == inf
    assert minimal_detectable(1.0, 6) < inf
    assert minimal_detectable(1.0, 5, alternative="greater") < inf
    assert pairs_needed(1.0, 100.0) == 6
    assert pairs_needed(1.0, 100.0, alternative="greater") == 5


def test_many_pairs_follow_the_normal_formula() -> None:
    assert minimal_detectable(2.0, 1000) == pytest.approx((1.95996 + 0.84162) * 2 / sqrt(1000), rel=2e-3)
    assert pairs_needed(2.83, 2.0) == pytest.approx(16 + 2, abs=1)  # 16 by the normal formula, 2 for few pairs


@given(deviation=st.floats(0.1, 10), pairs=st.integers(6, 60))
def test_as_many_pairs_as_are_needed_are_enough(deviation: float, pairs: int) -> None:
    effect = minimal_detectable(deviation, pairs)
    assert pairs_needed(deviation, effect * 1.0001) <= pairs
    assert minimal_detectable(deviation, pairs + 1) < effect


@pytest.mark.parametrize("pairs", [7, 12])
def test_the_exact_test_finds_that_effect_four_times_in_five(pairs: int) -> None:
    generator, effect = np.random.default_rng(0), minimal_detectable(1.0, pairs)
    found = [sign_flip(generator.normal(effect, 1.0, size=pairs)) <= 0.05 for _ in range(600)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.08)


def test_senseless_numbers_are_refused() -> None:
    with pytest.raises(DataError, match="wanted 0 or more"):
        minimal_detectable(-1.0, 8)
    with pytest.raises(DataError, match="wanted more than 0"):
        pairs_needed(1.0, 0.0)


@pytest.mark.parametrize("pairs", [6, 10, 30])
def test_it_agrees_with_statsmodels(pairs: int) -> None:
    power = pytest.importorskip(
        "statsmodels.stats.power", reason="statsmodels is no dependency; install it to compare with"
    )
    found = power.TTestPower().solve_power(nobs=pairs, alpha=0.05, power=0.8)
    assert minimal_detectable(1.0, pairs) == pytest.approx(found, rel=0.05)
