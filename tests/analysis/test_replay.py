"""Replaying rules over recorded runs, on traces small enough to count by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from hrmlab.analysis.replay import cheapest, fixed, oracle, overthinking, point, spearman, stops, sweep
from hrmlab.analysis.traces import Trace

RIGHT = np.array([[0, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 1], [0, 0, 1, 0]], dtype=bool)
READY = np.array([[0.1, 0.9, 0.9, 0.9], [0.2, 0.3, 0.8, 0.1], [0.1, 0.9, 0.1, 0.1], [0.0, 0.0, 0.0, 0.0]])
TRACE = Trace(RIGHT, READY, {"rule": READY}, np.array([1, 9, 4, 2]))


def test_a_puzzle_stops_where_its_readiness_first_exceeds_the_cutoff() -> None:
    at, chosen = stops(READY, 0.5)
    assert at.tolist() == [2, 3, 2, 4] and chosen.tolist() == [True, True, True, False]


def test_a_point_counts_what_it_says() -> None:
    found = point(TRACE, READY, 0.5)
    assert found.accuracy == 0.25 and found.mean_segments == 2.75 and found.max_segments == 4
    assert found.precision == pytest.approx(1 / 3)
    assert found.recall == pytest.approx(1 / 3)  # of the three that are ever right, one was stopped while right
    assert found.premature == 0.25  # the third, stopped wrong at 2 and right at 4
    assert found.overrun == 0
    assert found.unsolvable == pytest.approx(3 / 11)
    assert found.difficulty == pytest.approx(spearman(np.array([2.0, 3, 2, 4]), np.array([1.0, 9, 4, 2])))


def test_overrun_counts_segments_after_the_first_right_answer_of_those_stopped_right() -> None:
    late = point(TRACE, np.tile([0.0, 0.0, 1.0, 1.0], (4, 1)), 0.5)  # everyone at 3: right are the first and the last
    assert late.accuracy == 0.5 and late.overrun == pytest.approx(((3 - 2) + (3 - 3)) / 2)
    assert late.premature == 0.25 and late.unsolvable == pytest.approx(3 / 12)


def test_the_oracle_stops_at_the_first_right_answer() -> None:
    found = oracle(TRACE)
    assert found.accuracy == 0.75 and found.mean_segments == (2 + 4 + 1 + 3) / 4 and found.overrun == 0


def test_fixed_depths_are_the_columns() -> None:
    assert [p.accuracy for p in fixed(TRACE)] == RIGHT.mean(axis=0).tolist()
    assert [p.mean_segments for p in fixed(TRACE)] == [1, 2, 3, 4]


def test_overthinking_counts_what_is_lost_and_relapses() -> None:
    assert overthinking(RIGHT) == {"lost": 0.25, "relapses": 0.5, "never": 0.25, "after": {"1": 0.5, "2": 0.5}}


def test_the_cheapest_keeps_the_accuracy() -> None:
    points = fixed(TRACE)
    found = cheapest(points, 0.5)
    assert found is not None and found.mean_segments == 3
    assert cheapest(points, 0.9) is None


ready = arrays.arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-3, 3, width=16))


@given(readiness=ready)
def test_a_sweep_reaches_every_distinct_outcome(readiness: np.ndarray) -> None:
    cutoffs = sweep(readiness, most=1000)
    outcomes = {tuple(stops(readiness, cutoff)[0]) for cutoff in cutoffs}
    values = np.unique(readiness[readiness >= np.maximum.accumulate(readiness, axis=1).min()])
    everything = {tuple(stops(readiness, cutoff)[0]) for cutoff in (values[:-1] + values[1:]) / 2}
    assert everything <= outcomes
    assert len(sweep(readiness, most=3)) <= 3


@given(readiness=ready, cutoff=st.floats(-3, 3))
def test_nothing_beats_the_oracle(readiness: np.ndarray, cutoff: float) -> None:
    right = readiness > 0.5
    trace = Trace(right, readiness, {}, np.zeros(len(right), dtype=np.int64))
    best, found = oracle(trace), point(trace, -readiness, cutoff)
    assert found.accuracy <= best.accuracy
    if right.any(axis=1).all():  # where some are never right, giving those up costs no accuracy
        assert found.accuracy < best.accuracy or found.mean_segments >= best.mean_segments
    assert 0 <= found.premature <= 1 and found.overrun >= 0
    assert found.difficulty is None


@given(values=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=20))
def test_rank_correlation_is_symmetric_and_bounded(values: list[tuple[int, int]]) -> None:
    a, b = (np.array(column, dtype=np.float64) for column in zip(*values, strict=True))
    forward = spearman(a, b)
    if forward is None:
        assert a.std() == 0 or b.std() == 0
        return
    assert -1 - 1e-9 <= forward <= 1 + 1e-9 and forward == pytest.approx(spearman(b, a))
    assert spearman(a, np.exp(a)) == pytest.approx(1)
