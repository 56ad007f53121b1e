"""D-25 on losses written by hand."""

from dataclasses import replace

import pytest
import torch

from hrmlab.analysis.probes.critical_step import CriticalStep, steepest


def with_loss(subject, losses):
    one = subject(segments=len(losses[0]))
    rows = torch.tensor(losses).repeat(-(-len(one.examples) // len(losses)), 1)[: len(one.examples)]
    one.course = replace(one.course, loss=rows)
    return one


def test_steepest_by_hand():
    share, at, whole = steepest(torch.tensor([[1.0, 0.9, 0.1, 0.0], [1.0, 1.0, 1.0, 1.0], [0.5, 0.8, 0.9, 0.4]]))
    assert share.tolist() == pytest.approx([0.8, 0.0, 1.0])
    assert at.tolist()[0] == 2 and at.tolist()[2] == 3
    assert whole.tolist() == pytest.approx([1.0, 0.0, 0.1])


def test_a_cliff_is_sudden_and_a_ramp_is_not(subject):
    cliff = CriticalStep().run(with_loss(subject, [[1.0, 1.0, 1.0, 0.0, 0.0]]))
    assert cliff.scalars["sudden"] == 1 and cliff.scalars["share"] == 1 and cliff.scalars["segment"] == 4
    assert {row["offset"]: row["loss"] for row in cliff.table} == {-3: 1, -2: 1, -1: 1, 0: 0, 1: 0}
    ramp = CriticalStep().run(with_loss(subject, [[1.0, 0.75, 0.5, 0.25, 0.0]]))
    assert ramp.scalars["sudden"] == 0 and ramp.scalars["share"] == pytest.approx(0.25)


def test_losses_that_never_fall_have_no_step(subject):
    found = CriticalStep().run(with_loss(subject, [[1e-3, 1e-3, 1e-3], [0.5, 0.5, 0.6]]))
    assert found.n == 0 and found.table == [] and found.verdict == "ok"
    assert found.scalars["falling"] == 0 and found.scalars["sudden"] is None


def test_two_segments_are_too_few(subject):
    assert CriticalStep().run(subject(segments=2)).verdict == "n/a"
