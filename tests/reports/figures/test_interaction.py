"""Figures of coupling and interventions from real measurements of a shipped model."""

import pytest

from hrmlab.analysis.probes.coupling import Coupling
from hrmlab.analysis.probes.interventions import Interventions
from hrmlab.api.diagnosing import examined
from hrmlab.reports.figures import CHARTS, svg


@pytest.fixture(scope="module")
def subject():
    return examined("hrm-sudoku-6x6", (), 3, 2, 0, "cpu", True)[0]


def test_every_way_into_a_level(subject):
    [chart] = CHARTS["coupling"]
    text = svg(chart, Coupling(puzzles=2, segments=2).run(subject))
    assert all(f"{way}<" in text for way in ("high → low", "low → high", "input → low", "untrained", "segment 1"))


def test_what_is_lost_and_how_far_it_is_felt(subject):
    lost, reach = CHARTS["interventions"]
    found = Interventions(puzzles=2, segments=2, times=2, cells=1).run(subject)
    text = svg(lost, found)
    assert all(f">{name}<" in text for name in ("high: swap", "input: zero", "low.0: skip", "normalised effect"))
    assert "steps from the erased cell" in svg(reach, found) and ">box_row<" in svg(reach, found)
