"""Figures of halting from real measurements of a shipped model."""

import pytest

from hrmlab.analysis.probes.calibration import HeadCalibration
from hrmlab.analysis.probes.halting_regret import HaltingRegret
from hrmlab.analysis.probes.q_learning import HaltingValues
from hrmlab.api.diagnosing import examined
from hrmlab.reports.figures import CHARTS, svg


@pytest.fixture(scope="module")
def subject():
    return examined("hrm-sudoku-6x6", (), 4, 3, 0, "cpu", True)[0]


def test_promises(subject):
    [chart] = CHARTS["calibration"]
    text = svg(chart, HeadCalibration(draws=10).run(subject))
    assert all(f">{name}<" in text for name in ("all segments", "segment 1", "segment 3", "n = 4", "brier"))


def test_frontiers(subject):
    [chart] = CHARTS["halting_regret"]
    text = svg(chart, HaltingRegret().run(subject))
    assert all(f">{name}<" in text for name in ("fixed depth", "the rule as it is", "mean segments", "n = 4"))


def test_values_and_stops(subject):
    [chart] = CHARTS["q_learning"]
    text = svg(chart, HaltingValues().run(subject))
    assert all(name in text for name in ("Q(halt), median", "Q(continue), median", "share right", "training's rule"))
    assert "evaluation's rule" not in text  # it stops nobody: a fixed depth
