"""Medians and quartiles by hand, and of nothing."""

import torch

from hrmlab.analysis.probes.maths.summary import mean, median, outcomes, quartiles


def test_by_hand():
    values = torch.tensor([1.0, 2.0, 3.0, 10.0])
    assert median(values) == 2.5
    assert mean(values) == 4.0
    assert quartiles("x", values) == {"x": 2.5, "x_q25": 1.75, "x_q75": 4.75}
    right = torch.tensor([True, True, False, False])
    assert outcomes("x", values, right) == {"x": 2.5, "x_right": 1.5, "x_wrong": 6.5}


def test_nothing_is_none():
    empty = torch.zeros(0)
    assert median(empty) is mean(empty) is None
    assert quartiles("x", empty) == {"x": None, "x_q25": None, "x_q75": None}
    assert outcomes("x", torch.ones(2), torch.ones(2, dtype=torch.bool))["x_wrong"] is None
