"""D-04: the adjoint of a linear recurrence: J is the gain to the power of the updates."""

from dataclasses import replace

import pytest
from linear_models import linear_model

from hrmlab.analysis.probes.adjoint import Adjoint
from hrmlab.analysis.tracing.unroll import answering
from hrmlab.halting import Fixed


def _own_answers(one):
    """The subject with its model's answers as labels: everything is right."""
    said = answering(one.model, one.batch, one.segments).tokens[:, -1].numpy()
    return replace(one, examples=replace(one.examples, labels=said.astype(one.examples.labels.dtype)))


@pytest.mark.parametrize(("gain", "rules"), [(0.7, []), (1.1, ["adjoint.diverges"])])
def test_the_rate_is_that_of_the_segment(subject, gain, rules):
    policy = Fixed(max_segments=4)
    one = _own_answers(subject(linear_model(subject().model.spec, gain, 2), halting=policy))
    found = Adjoint(puzzles=4, near=1.0).run(one)
    assert abs(found.scalars["rate_right"] - gain**2) < 1e-3
    assert found.scalars["rate_wrong"] is None
    assert found.scalars["solved"] == (gain < 1)
    assert [finding.rule for finding in found.findings] == rules
    assert Adjoint(puzzles=4, near=0.01).run(one).verdict == "ok"  # which is no fixed point yet, or contracts


def test_distance_is_how_far_the_last_segment_moves(subject):
    one = subject(linear_model(subject().model.spec, 0.5, 1), segments=3)
    found = Adjoint(puzzles=4, iterations=3).run(one)
    assert abs(found.scalars["distance"] - (0.875 - 0.75) / 0.75) < 1e-5  # z = (1 - 0.5^t) x


def test_two_levels_are_solved_together(subject):
    found = Adjoint(puzzles=4, iterations=6).run(subject())
    assert len(found.table) <= 6
    assert found.scalars["rate"] > 0


def test_a_trained_model_is_silent(shipped):
    assert Adjoint(puzzles=8).run(shipped("sudoku-4x4", 12, 8)).verdict == "ok"
