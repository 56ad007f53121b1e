"""D-01: the schedule's rows and no others; planted cuts and leaks are found."""

import pytest
import torch

from hrmlab.analysis.probes.gradient_path import GradientPath, expected
from hrmlab.core import act
from hrmlab.core.recurrences import hrm, trm
from hrmlab.core.schedules import HRMSchedule, TRMSchedule


def test_rows_expected_are_the_papers():
    assert expected(hrm(2, 2)) == {4, 5}
    assert expected(trm(2, 3)) == {4, 5, 6, 7}


@pytest.mark.parametrize(
    "schedule", [HRMSchedule(), TRMSchedule(high_cycles=2, low_cycles=3), HRMSchedule(grad_window=5)]
)
def test_a_sound_model_has_gradient_where_its_schedule_says(subject, schedule):
    found = GradientPath().run(subject(schedule=schedule))
    assert found.verdict == "ok"
    assert [row["gradient"] > 0 for row in found.table] == [row["expected"] for row in found.table]


def test_a_network_that_detaches_is_found(subject):
    one = subject()
    one.model.networks["low"].register_forward_hook(lambda _m, _a, out: out.detach())
    found = GradientPath().run(one)
    assert [finding.rule for finding in found.findings] == ["gradient_path.unreached"]
    assert "row 4 (low)" in found.findings[0].seen


def test_a_missing_detach_between_segments_is_found(subject, monkeypatch):
    whole = act.following
    monkeypatch.setattr(act, "following", lambda *given, **named: whole(*given, **named | {"attached": True}))
    found = GradientPath().run(subject())
    assert [finding.rule for finding in found.findings] == ["gradient_path.leak"]


def test_the_model_is_left_as_it_was(subject):
    one = subject()
    before = {name: value.clone() for name, value in one.model.state_dict().items()}
    GradientPath().run(one)
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())
    assert all(p.grad is None for p in one.model.parameters())
