"""D-10: cycles of known spikes and contractions."""

import pytest
import torch

from hrmlab.analysis.probes.convergence_index import ConvergenceIndex, cycles, slope
from hrmlab.analysis.probes.course import Course
from hrmlab.core.schedules import HRMSchedule, Levels, SingleState


def course_of(levels, residual):
    """A course with these residuals, (n, T, R), and nothing else."""
    n, segments, _ = residual.shape
    none = torch.zeros(n, segments, 1)
    right = torch.tensor([True, False])[torch.arange(n) % 2][:, None].expand(n, segments)
    return Course(levels, residual, residual, residual, none, none, none, right, none, none)


SAW = torch.tensor([[[4.0, 1.0, 9.0, 8.0, 2.0, 3.0], [6.0, 3.0, 1.0, 1.0, 2.0, 1.0]]])
LEVELS = ("low", "low", "high", "low", "low", "high")


def test_ratios_by_hand():
    spike, contraction = cycles(course_of(LEVELS, SAW), "high", "low")
    assert spike.tolist() == [[8.0, 3.0, pytest.approx(1 / 3)]]
    assert contraction.tolist() == [[0.25, 0.5, 2.0]]


def test_the_index_counts_cycles_that_spike_and_contract(subject):
    one = subject(segments=2)
    one.__dict__["course"] = course_of(LEVELS, torch.cat((SAW, SAW.flip(2)[:, :, [1, 2, 0, 4, 5, 3]])))
    found = ConvergenceIndex(control=0).run(one)
    assert found.verdict == "ok"
    assert found.scalars["index_right"] == pytest.approx(2 / 3, abs=1e-5)
    assert [row["cycle"] for row in found.table] == [0, 1, 2]


def test_the_slow_levels_slope():
    residual = torch.exp(-0.5 * torch.arange(4.0))[None, :, None].repeat(1, 1, 3)
    assert float(slope(course_of(("low", "low", "high"), residual), "high")) == pytest.approx(-0.5, abs=1e-5)


def test_every_pair_of_levels_and_an_untrained_control(subject):
    found = ConvergenceIndex(control=4).run(subject(schedule=Levels(periods=(2, 2, 2)), segments=2))
    assert {(row["slow"], row["fast"]) for row in found.table} == {("level0", "level1"), ("level1", "level2")}
    assert 0 <= found.scalars["level2_index_untrained"] <= 1


@pytest.mark.parametrize("schedule", [SingleState(cycles=3), HRMSchedule(low_cycles=1)])
def test_nothing_to_measure(subject, schedule):
    assert ConvergenceIndex().run(subject(schedule=schedule)).verdict == "n/a"
