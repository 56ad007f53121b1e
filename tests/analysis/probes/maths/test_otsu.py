"""Cuts between heaps that are known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.analysis.probes.maths.otsu import otsu


def test_two_heaps_by_hand():
    assert otsu(np.array([0.0, 0.0, 4.0, 4.0])) == (2.0, 1.0)
    cut, share = otsu(np.array([0.0, 1.0, 9.0, 10.0]))
    assert cut == 5.0
    assert share == pytest.approx(20.25 / 20.5)


@pytest.mark.parametrize(("draw", "share"), [("normal", 2 / np.pi), ("random", 0.75)])
def test_one_heap_gives_the_share_of_theory(draw, share):
    sample = getattr(np.random.default_rng(0), draw)(size=20000)
    assert otsu(sample)[1] == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0]])
def test_nothing_to_cut(values):
    assert otsu(np.array(values)) is None


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=30).filter(lambda v: len(set(v)) > 1))
def test_no_other_cut_leaves_less_variance(values):
    x = np.array(values, float)
    cut, share = otsu(x)

    def inside(at):
        return sum(part.var() * len(part) for part in (x[x < at], x[x >= at])) / len(x)

    assert inside(cut) == pytest.approx(x.var() * (1 - share))
    assert all(inside(cut) <= inside(at) + 1e-9 for at in np.unique(x)[1:])
