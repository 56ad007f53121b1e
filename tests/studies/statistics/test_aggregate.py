"""The interquartile mean by hand, and its interval against the authors' package."""

import numpy as np
import pytest

from hrmlab.errors import DataError
from hrmlab.studies.statistics import interquartile_interval, interquartile_mean


def test_the_middle_half_by_hand() -> None:
    assert interquartile_mean([[1, 2, 3, 4], [5, 6, 7, 8]]) == (3 + 4 + 5 + 6) / 4
    assert interquartile_mean([[1, 2, 3, 4], [5, 6, 7, 1000]]) == 4.5  # no outlier matters
    assert interquartile_mean([[1], [2], [6]]) == 3  # a quarter of three is none


def test_runs_that_are_alike_leave_nothing_open() -> None:
    assert interquartile_interval([[0.2, 0.6]] * 5, resamples=100) == pytest.approx((0.4, 0.4))


def test_tasks_are_drawn_by_themselves() -> None:
    # Task scores lie far apart. Were runs drawn over all tasks, the mean would move by tens, not by hundredths.
    scores = np.array([[0.0, 100.0], [0.01, 100.01], [0.02, 100.02], [0.03, 100.03]])
    low, high = interquartile_interval(scores, resamples=500)
    assert 49.9 < low < interquartile_mean(scores) < high < 50.1


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for trial in range(200):
        low, high = interquartile_interval(generator.normal(size=(10, 4)), resamples=1000, seed=trial)
        held += low <= 0 <= high
    assert 0.89 <= held / 200 <= 0.99


@pytest.mark.parametrize("scores", [[1.0, 2.0], [], [[np.nan]]])
def test_what_is_no_table_of_finite_scores_is_refused(scores: list[float]) -> None:
    with pytest.raises(DataError):
        interquartile_mean(scores)


def test_it_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is no dependency; install it to compare with")
    scores = np.random.default_rng(1).gamma(2.0, size=(7, 3))
    assert interquartile_mean(scores) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None))


def test_the_interval_agrees_with_the_authors_package() -> None:
    library = pytest.importorskip("rliable.library", reason="rliable is no dependency; install it to compare with")
    metrics = pytest.importorskip("rliable.metrics")
    scores = np.random.default_rng(2).gamma(2.0, size=(6, 3))
    _, found = library.get_interval_estimates(
        {"ours": scores}, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=5000
    )
    assert interquartile_interval(scores, resamples=20_000) == pytest.approx(found["ours"].ravel(), abs=0.05)
