"""Estimators of dimension against enumeration, and on data whose dimension is known."""

from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.analysis.probes.dimension import effective_rank, harmonic_cap, participation, unbiased


def bundles(x):
    return x[:, None]


def ratios(x, draws=1):
    return participation(x, draws, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("rows", "columns"), [(4, 3), (6, 2), (5, 7)])
def test_unbiased_sums_are_those_over_four_different_rows(rows, columns):
    x = torch.randn(rows, columns, dtype=torch.float64) + 3
    above = below = diagonal = 0.0
    quadruples = list(permutations(range(rows), 4))
    for a, b, c, d in quadruples:
        first, second = x[a] - x[b], x[c] - x[d]
        above += float(first.square().sum() * second.square().sum()) / 4
        below += float((first @ second) ** 2) / 4
        diagonal += float((first * second).square().sum()) / 4
    found = [float(value) for value in unbiased(x)]
    assert found == pytest.approx([total / len(quadruples) for total in (above, below, diagonal)], rel=1e-9)


def test_isotropic_data_hit_the_harmonic_cap_unless_corrected_for_rows():
    rows, columns = 100, 50
    found = [ratios(bundles(torch.randn(rows, columns))) for _ in range(10)]
    assert sum(f.naive for f in found) / 10 == pytest.approx(harmonic_cap(rows, columns), rel=0.03)
    assert sum(f.by_rows for f in found) / 10 == pytest.approx(columns, rel=0.03)


def test_low_rank_data_have_their_rank_when_corrected_for_rows_and_columns():
    rank, rows, columns = 5, 30, 60
    found = [ratios(bundles(torch.randn(rows, rank) @ torch.randn(rank, columns))) for _ in range(200)]
    naive, both = (sum(getattr(f, name) for f in found) / 200 for name in ("naive", "by_both"))
    assert naive == pytest.approx(1 / (1 / rows + 1 / columns + 1 / rank), rel=0.05)
    assert both == pytest.approx(rank, rel=0.05)


def test_rows_of_one_trajectory_are_not_counted_as_independent():
    x = torch.randn(20, 1, 8)
    settled = x.expand(20, 64, 8)
    assert ratios(settled, draws=3).by_rows == pytest.approx(ratios(x).by_rows)
    assert ratios(settled, draws=3).naive == pytest.approx(ratios(x).naive)


@given(st.integers(5, 12), st.integers(2, 6), st.integers(0, 99), st.floats(0.01, 100))
def test_turning_moving_and_scaling_change_nothing(rows, columns, seed, scale):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(rows, columns, generator=generator, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(columns, columns, generator=generator, dtype=torch.float64))[0]
    before, after = ratios(bundles(x)), ratios(bundles(scale * x @ turn + 7))
    assert 1 - 1e-9 <= before.naive <= min(rows - 1, columns) + 1e-9
    assert after.naive == pytest.approx(before.naive)
    assert (after.by_rows is None) == (before.by_rows is None)
    assert after.by_rows == pytest.approx(before.by_rows, rel=1e-5)
    assert effective_rank(scale * x @ turn + 7) == pytest.approx(effective_rank(x), rel=1e-5)


def test_no_bound_is_none():
    assert ratios(torch.zeros(6, 1, 4)).naive is None
    assert ratios(torch.zeros(6, 1, 4)).by_both is None


@pytest.mark.parametrize("rank", [1, 3, 8])
def test_equal_singular_values_count_as_many(rank):
    basis = torch.linalg.qr(torch.randn(16, 16, dtype=torch.float64))[0][:, :rank]
    x = torch.cat((basis.T, -basis.T))
    assert effective_rank(x) == pytest.approx((rank, rank), rel=1e-5)


def test_vectors_that_are_all_alike_have_no_rank():
    assert effective_rank(torch.ones(10, 4)) == (0.0, 0.0)
