"""D-34: promises kept and broken, by hand."""

import numpy as np
import pytest
import torch

from hrmlab.analysis.calibration import calibration
from hrmlab.analysis.probes.calibration import HeadCalibration, decomposed
from hrmlab.analysis.probes.course import Course
from hrmlab.halting import Correctness, Fixed


def promising(one, p: torch.Tensor, right: torch.Tensor):
    """The subject with a course that promises p, (n, T), and is right as said."""
    values = torch.stack((p.logit(), torch.zeros_like(p)), -1)
    nothing = torch.empty(0)
    one.course = Course((), nothing, nothing, nothing, nothing, nothing, values, right, nothing, nothing)
    return one


def test_promises_that_are_kept(subject):
    sure, unsure = [True, True, True, False] * 10, [True, False, False, False] * 10
    right = torch.tensor([sure + unsure]).T.expand(-1, 2)
    found = HeadCalibration().run(
        promising(subject(), torch.tensor([[0.75], [0.25]]).repeat_interleave(40, 0).expand(-1, 2), right)
    )
    assert found.verdict == "ok" and found.n == 80
    assert found.scalars["ece"] == pytest.approx(0, abs=1e-6) and found.scalars["brier"] == pytest.approx(0.1875)
    assert found.scalars["ece_low"] <= found.scalars["ece_high"]
    assert [row["segment"] for row in found.table] == [None, None, 1, 1, 2, 2]


def test_too_sure_and_too_shy(subject):
    right = torch.tensor([[True], [False]]).repeat(30, 1)
    rule = Correctness(threshold=0.5)
    sure = HeadCalibration().run(promising(subject(evaluation=rule), torch.full((60, 1), 0.95), right))
    assert [f.rule for f in sure.findings] == ["calibration.over_confident", "calibration.cannot_tell"]
    assert sure.scalars["gap"] == pytest.approx(0.45) and sure.findings[0].patch == {"evaluation.threshold": 0.98}
    shy = HeadCalibration().run(promising(subject(), torch.where(right, 0.1, 0.01), right))
    assert [f.rule for f in shy.findings] == ["calibration.under_confident"]


def test_the_score_is_the_sum_of_its_parts_where_bins_are_narrow():
    p = np.repeat([0.1, 0.5, 0.9], 20)
    right = np.tile([True, False, False, False], 15)
    found = calibration(p, right)
    parts = decomposed(found)
    assert found.brier == pytest.approx(parts["reliability"] - parts["resolution"] + parts["uncertainty"])
    assert parts["uncertainty"] == pytest.approx(0.1875)


def test_only_heads_that_were_taught_to_tell_are_judged(subject):
    assert HeadCalibration().run(subject(halting=Fixed())).verdict == "n/a"


def test_segments_beyond_training_are_shown_but_not_judged(subject):
    right = torch.tensor([[False, True]]).repeat(20, 1)
    p = torch.tensor([[0.02, 0.02]]).repeat(20, 1)
    found = HeadCalibration().run(promising(subject(halting=Correctness(max_segments=1)), p, right))
    assert found.verdict == "ok" and found.scalars["ece"] == pytest.approx(0.02, abs=1e-6)
    assert {row["segment"]: row["right"] for row in found.table} == {None: 0, 1: 0, 2: 1}


@pytest.mark.parametrize("right", [True, False])
def test_all_alike(subject, right):
    answers = torch.full((5, 2), right)
    found = HeadCalibration().run(promising(subject(), torch.full((5, 2), 0.97 if right else 0.03), answers))
    assert found.verdict == "ok" and found.scalars["auroc"] is None


def test_shipped_models_are_believed(shipped):
    assert HeadCalibration().run(shipped("hrm-sudoku-6x6", 16, 6)).verdict == "ok"
