"""D-03: a recurrence whose one-step gradient points the other way, and models whose gradient is whole."""

from linear_models import linear_model

from hrmlab.analysis.probes.gradient_bias import GradientBias, counts
from hrmlab.core.recurrences import hrm, single_state
from hrmlab.core.schedules import HRMSchedule
from hrmlab.halting import Fixed

SMALL = GradientBias(puzzles=4, iterations=2)


def test_a_gradient_through_all_rows_has_no_bias(subject):
    found = SMALL.run(subject(schedule=HRMSchedule(grad_window=6), segments=2))
    assert abs(found.scalars["cosine"] - 1) < 1e-6
    assert abs(found.scalars["ratio"] - 1) < 1e-6
    assert found.scalars["descent_training"] == found.scalars["descent_full"] < 0
    assert found.verdict == "ok"


def test_the_training_gradient_is_that_of_its_own_rows(subject):
    found = SMALL.run(subject(segments=2))
    rows = [row for row in found.table if row["against"] == "full"]
    training = [row["cosine"] for row in rows if row["gradient"] == "training"]
    assert training == [row["cosine"] for row in rows if row["k"] == 2]
    assert abs(training[0]) < 1
    assert {row["group"] for row in rows} == {"all", "embedding", "high.0", "high.1", "low.0", "low.1", "halting_head"}


def test_a_gradient_that_points_backwards_is_found(subject):
    """After two updates z = (w^2 + w) x: the last row's dz/dw is (w + 1) x, the whole one (2 w + 1) x."""
    model = linear_model(subject().model.spec, -0.75, 2, grad_window=1)
    for part in (model.embedding, model.halting_head):
        part.requires_grad_(False)
    settings = {"model": {"schedule": {"grad_window": 1}}}
    found = SMALL.run(subject(model, halting=Fixed(max_segments=1), settings=settings))
    assert abs(found.scalars["cosine"] + 1) < 1e-6
    assert abs(found.scalars["ratio"] - 0.25 / 0.5) < 1e-4
    assert found.scalars["sign_agreement"] == 0
    assert [finding.rule for finding in found.findings] == ["gradient_bias.no_descent"]
    assert found.findings[0].patch == {"model.schedule.grad_window": 2}
    assert found.scalars["descent_training"] > 0 > found.scalars["descent_full"]


def test_a_gradient_well_below_the_ceiling_is_found(subject):
    found = GradientBias(puzzles=4, iterations=2, noise=50.0).run(subject(segments=2))
    assert [finding.rule for finding in found.findings] == ["gradient_bias.biased"]
    assert found.findings[0].threshold > found.scalars["cosine"]


def test_the_implicit_gradient_of_a_contraction_is_compared(subject):
    one = subject(linear_model(subject().model.spec, 0.5, 2), segments=12, halting=Fixed(max_segments=12))
    found = GradientBias(puzzles=4).run(one)
    assert found.scalars["cosine_implicit"] > 0.9
    assert {row["against"] for row in found.table} == {"full", "implicit"}


def test_a_single_puzzle_has_no_ceiling(subject):
    found = GradientBias(puzzles=1, iterations=2).run(subject(segments=2))
    assert found.scalars["ceiling"] is None
    assert found.scalars["cosine"] is not None


def test_a_trained_model_is_silent(shipped):
    assert SMALL.run(shipped("sudoku-4x4", 12, 4)).verdict == "ok"


def test_rows_begin_where_every_network_learns():
    assert counts(hrm(2, 2), 12) == [2, 3, 4, 5, 6]
    assert counts(single_state(100), 4) == [1, 5, 22, 100]
