"""D-11: two heaps of drifts, and answers planted in them."""

from dataclasses import replace

import pytest
import torch

from hrmlab.analysis.probes.settling import Settling, drift
from hrmlab.halting import QLearning


def with_drifts(one, drifts, right):
    """The subject as if its puzzles moved so at every segment."""
    n, segments = one.course.right.shape
    one.__dict__["course"] = replace(
        one.course,
        change=torch.tensor(drifts)[:, None, None].expand(n, segments, 3),
        right=torch.tensor(right)[:, None].expand(n, segments),
    )
    return one


def test_drift_is_the_root_mean_square_over_positions(subject):
    one = subject(segments=2)
    one.__dict__["course"] = replace(one.course, change=torch.tensor([[[3.0, 4.0]]]))
    assert float(drift(one.course)) == pytest.approx((25 / 2) ** 0.5)


def test_four_cells_and_the_cut(subject):
    one = with_drifts(subject(), [0.01] * 5 + [1.0] * 7, [True] * 4 + [False] + [True] + [False] * 6)
    found = Settling().run(one)
    cells = ["settled_right", "settled_wrong", "moving_right", "moving_wrong"]
    assert [found.scalars[cell] for cell in cells] == [4, 1, 1, 6]
    assert found.scalars["cut"] == pytest.approx(0.1)
    assert found.scalars["auc"] == pytest.approx((4 * 6 + 0.5 * (4 * 1 + 1 * 6)) / (5 * 7), abs=1e-5)
    assert found.verdict == "ok"


def test_wrong_answers_at_rest_are_found(subject):
    drifts, right = [0.01] * 8 + [1.0] * 4, [False] * 6 + [True] * 2 + [False] * 4
    found = Settling().run(with_drifts(subject(), drifts, right))
    assert [finding.rule for finding in found.findings] == ["settling.stuck"]
    assert found.findings[0].patch == {"evaluation.restart_every": 4}
    again = QLearning(max_segments=4, restart_every=2)
    assert Settling().run(with_drifts(subject(evaluation=again), drifts, right)).findings[0].patch == {}


def test_one_heap_has_no_cells(subject):
    found = Settling().run(with_drifts(subject(), [2.0**k for k in range(12)], [False] * 12))
    assert found.verdict == "ok"
    assert found.scalars["cut"] is found.scalars["settled_wrong"] is found.scalars["auc"] is None


def test_a_sound_model_is_silent(shipped):
    assert Settling().run(shipped("sudoku-4x4", n=12)).verdict == "ok"
