"""The exact test by hand, under the null, and against scipy."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.studies.statistics import sign_flip, smallest_p

differences = st.lists(st.integers(-50, 50).map(float), min_size=1, max_size=8)


def test_by_hand() -> None:
    assert sign_flip([1, 2, 3], "greater") == 1 / 8
    assert sign_flip([1, 2, 3]) == 2 / 8
    assert sign_flip([1, 2, 3], "less") == 1
    assert sign_flip([3, -1, 2], "greater") == 2 / 8  # 6 and 4, of -6, -4, -2, 0, 0, 2, 4, 6
    assert sign_flip([0, 0, 0]) == 1


def test_last_digits_make_no_difference() -> None:
    assert sign_flip([0.1, 0.2, 0.3], "greater") == 1 / 8
    assert sign_flip([0.3, 0.1, -0.2], "greater") == sign_flip([3, 1, -2], "greater") == 3 / 8


@given(values=differences)
def test_it_counts_the_patterns(values: list[float]) -> None:
    sums = [sum(sign * value for sign, value in zip(signs, values, strict=True)) for signs in patterns(len(values))]
    total = sum(values)
    assert sign_flip(values, "greater") == np.mean([one >= total for one in sums])
    assert sign_flip(values) == np.mean([abs(one) >= abs(total) for one in sums])
    assert sign_flip(values, "less") == sign_flip([-value for value in values], "greater")


def test_it_is_uniform_where_the_arms_are_alike() -> None:
    generator = np.random.default_rng(0)
    p = np.array([sign_flip(generator.standard_t(2, size=7), "greater") for _ in range(4000)])
    for level in (1 / 128, 6 / 128, 32 / 128, 64 / 128):
        assert (p <= level).mean() == pytest.approx(level, abs=3.5 * np.sqrt(level * (1 - level) / 4000))


@pytest.mark.parametrize("alternative", ["two-sided", "greater"])
def test_with_many_pairs_it_samples(alternative: str) -> None:
    values = np.random.default_rng(4).normal(0.4, size=17)
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    total = values.sum()
    exact = (np.abs(sums) >= abs(total) - 1e-9 if alternative == "two-sided" else sums >= total - 1e-9).mean()
    assert sign_flip(values, alternative) == pytest.approx(exact, abs=4 * np.sqrt(exact / 100_000))  # type: ignore[arg-type]


def test_the_smallest_p_is_that_of_differences_all_of_one_sign() -> None:
    assert smallest_p(5) == 0.0625
    assert smallest_p(5, "greater") == 1 / 32
    assert smallest_p(3, "greater") == 1 / 8
    assert smallest_p(1) == 1
    for pairs in (2, 6, 16, 40):
        assert sign_flip(np.ones(pairs)) == pytest.approx(smallest_p(pairs))


def test_it_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is no dependency; install it to compare with")
    values = np.random.default_rng(5).normal(0.5, size=9)
    for alternative in ("two-sided", "greater", "less"):
        found = stats.permutation_test(
            (values,),
            lambda x, axis: x.mean(axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=np.inf,
            alternative=alternative,
        )
        assert sign_flip(values, alternative) == pytest.approx(found.pvalue)  # type: ignore[arg-type]


def patterns(count: int) -> "product[tuple[int, ...]]":
    return product((1, -1), repeat=count)
