"""Curves of the page, by hand."""

import numpy as np

from hrmlab.reports.page import divergences, halting_data, training_data
from hrmlab.reports.page.series import POINTS


def test_training_and_evaluation_of_one_name_stand_together() -> None:
    lines = [
        {"step": 5, "seconds": 1.0, "loss": 2.0, "exact": 0.25},
        {"step": 9, "seconds": 2.0, "evaluation": {"exact": 0.5, "by_segment": [0.5], "valid": True}},
        {"step": 10, "seconds": 2.0, "loss": 1.0, "note": "text", "gone": float("nan")},
    ]
    assert training_data(lines) == [
        {"name": "loss", "training": [[5, 2.0], [10, 1.0]], "evaluation": []},
        {"name": "exact", "training": [[5, 0.25]], "evaluation": [[9, 0.5]]},
    ]
    assert training_data([]) == []


def test_long_curves_keep_both_ends() -> None:
    (curve,) = training_data([{"step": step, "loss": float(step)} for step in range(1000)])
    assert len(curve["training"]) == POINTS
    assert curve["training"][0] == [0, 0.0] and curve["training"][-1] == [999, 999.0]


def test_halting_is_told_apart_by_right_and_wrong_at_the_same_segment() -> None:
    values = np.zeros((3, 2, 2))
    values[:, 0, 0] = [-1e9, 0, 1e9]
    right = np.array([[False, True], [False, True], [True, True]])
    found = halting_data(values, right)
    assert (found["n"], found["exact"]) == (3, [0.3333, 1.0])
    assert found["right"] == [[1, 1, 1], [0.5, 0.5, 0.5]]
    assert found["wrong"] == [[0.125, 0.25, 0.375], None]
    assert halting_data(np.full((1, 1, 2), np.nan), np.array([[True]]))["right"] == [None]


def test_what_diverged_is_said_and_draws_no_curve() -> None:
    diverged = {"step": 4, "seconds": 1.0, "diverged": "the loss became nan", "at": 7}
    lines = [
        diverged | {"action": "roll_back", "rate": 0.5},
        diverged | {"step": 7, "action": "skip"},
        diverged | {"step": 7, "action": "stop"},
    ]
    assert divergences([{"step": 1, "seconds": 0.1, "loss": 2.0}, *lines]) == [
        "Step 7: the loss became nan. The run went back to step 4, at 0.5 of its rates.",
        "Step 7: the loss became nan. The step was left out.",
        "Step 7: the loss became nan. The run was ended.",
    ]
    assert training_data(lines) == []
