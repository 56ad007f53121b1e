"""McNemar's test by hand and against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.studies.statistics import mcnemar

answers = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)


def test_by_hand() -> None:
    first = [True] + [False] * 5 + [True] * 10 + [False] * 10
    second = [False] + [True] * 5 + [True] * 10 + [False] * 10
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (1, 5)
    assert found.p == 2 * (1 + 6) / 64


def test_checkpoints_that_agree_are_not_told_apart() -> None:
    assert mcnemar([True, False], [True, False]).p == 1
    assert mcnemar([True, False], [False, True]).p == 1


@given(rows=answers)
def test_which_comes_first_does_not_matter(rows: list[tuple[bool, bool]]) -> None:
    first, second = np.array(rows).T
    there, back = mcnemar(first, second), mcnemar(second, first)
    assert (there.p, there.only_first) == (back.p, back.only_second)
    assert 0 < there.p <= 1


def test_different_puzzles_are_refused() -> None:
    with pytest.raises(DataError, match="the same puzzles"):
        mcnemar([True], [True, False])


def test_it_agrees_with_statsmodels() -> None:
    tables = pytest.importorskip(
        "statsmodels.stats.contingency_tables", reason="statsmodels is no dependency; install it to compare with"
    )
    first, second = np.random.default_rng(0).random((2, 60)) < [[0.5], [0.7]]
    table = [[(first & second).sum(), (first & ~second).sum()], [(~first & second).sum(), (~first & ~second).sum()]]
    assert mcnemar(first, second).p == pytest.approx(tables.mcnemar(table, exact=True).pvalue)
