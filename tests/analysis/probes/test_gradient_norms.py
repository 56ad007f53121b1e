"""D-02: a linear recurrence multiplies its gradient by the gain at each row."""

import math

import pytest
from linear_models import linear_model

from hrmlab.analysis.probes.gradient_norms import GradientNorms, slope


@pytest.mark.parametrize(
    ("gain", "rules"),
    [(1.0, []), (0.5, []), (0.1, ["gradient_norms.vanishing"]), (10.0, ["gradient_norms.exploding"])],
)
def test_the_rate_is_the_gain(subject, gain, rules):
    one = subject(linear_model(subject().model.spec, gain, 6))
    found = GradientNorms(segments=2, puzzles=4).run(one)
    assert abs(found.scalars["state_rate_one"] - math.log(gain)) < 1e-4
    assert abs(found.scalars["state_growth_one"] / gain**5 - 1) < 1e-3
    assert abs(found.scalars["state_rate_all"] - math.log(gain)) < 1e-4
    assert [finding.rule for finding in found.findings] == rules


def test_every_row_of_every_segment_has_its_place(subject):
    found = GradientNorms(segments=3, puzzles=4).run(subject())
    whole = [row for row in found.table if row["span"] == 3]
    assert sorted({row["back"] for row in whole}) == list(range(18))
    assert [(row["segment"], row["row"]) for row in whole if row["trained"]] == [(2, 4), (2, 5)]
    assert found.scalars["high_growth_one"] > 0


def test_the_model_is_left_as_it_was(subject):
    one = subject()
    GradientNorms(puzzles=4).run(one)
    assert all(p.grad is None for p in one.model.parameters())
    assert sum(update.grad for update in one.model.schedule.updates) == 2


def test_a_trained_model_is_silent(shipped):
    found = GradientNorms(puzzles=8).run(shipped("sudoku-4x4", 12, 4))
    assert found.verdict == "ok"
    assert any(row["right"] for row in found.table)


def test_the_slope_of_a_power_is_its_exponent():
    assert abs(slope([(0, 1.0), (1, math.e), (2, math.e**2)]) - 1) < 1e-12
    assert slope([(3, 1.0)]) is None
