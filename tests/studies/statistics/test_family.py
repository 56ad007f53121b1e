"""Holm's step-down by hand, its promises, and statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.studies.statistics import holm

p_values = st.lists(st.floats(0, 1), max_size=12)


def test_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


@given(p=p_values)
def test_order_is_kept_and_nothing_gets_smaller(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(before <= after <= 1 for before, after in zip(p, adjusted, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    if p:
        assert min(adjusted) == min(1, len(p) * min(p))


def test_a_false_claim_is_as_rare_as_it_says() -> None:
    draws = np.random.default_rng(0).random((2000, 5))
    assert np.mean([min(holm(list(row))) <= 0.05 for row in draws]) == pytest.approx(0.05, abs=0.015)


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(DataError, match="0 to 1"):
        holm([0.2, 1.2])


def test_it_agrees_with_statsmodels() -> None:
    multitest = pytest.importorskip(
        "statsmodels.stats.multitest", reason="statsmodels is no dependency; install it to compare with"
    )
    p = list(np.random.default_rng(1).random(9) ** 3)
    assert holm(p) == pytest.approx(list(multitest.multipletests(p, method="holm")[1]))
