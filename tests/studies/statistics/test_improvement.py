"""P(X > Y) by hand and against the authors' package."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.studies.statistics import probability_of_improvement

runs = st.lists(st.integers(0, 5), min_size=1, max_size=8).map(lambda values: [[value] for value in values])


def test_by_hand() -> None:
    assert probability_of_improvement([[2], [3]], [[1], [2]]) == 3.5 / 4
    assert probability_of_improvement([[1, 0]], [[0, 1]]) == 0.5  # better on one task, worse on the other


@given(x=runs, y=runs)
def test_one_of_the_two_is_better_or_they_tie(x: list[list[int]], y: list[list[int]]) -> None:
    assert probability_of_improvement(x, y) + probability_of_improvement(y, x) == pytest.approx(1)
    assert probability_of_improvement(x, x) == 0.5


def test_other_tasks_are_refused() -> None:
    with pytest.raises(DataError, match="the same tasks"):
        probability_of_improvement([[1, 2]], [[1]])


def test_it_agrees_with_the_authors_package() -> None:
    metrics = pytest.importorskip("rliable.metrics", reason="rliable is no dependency; install it to compare with")
    x, y = np.random.default_rng(0).integers(0, 6, size=(2, 7, 3))
    assert probability_of_improvement(x, y) == pytest.approx(metrics.probability_of_improvement(x, y))


def test_it_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is no dependency; install it to compare with")
    x, y = np.random.default_rng(1).integers(0, 6, size=(2, 9))
    pairs = stats.mannwhitneyu(x, y).statistic
    assert probability_of_improvement(x[:, None], y[:, None]) == pytest.approx(pairs / 81)
