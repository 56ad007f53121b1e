"""Medians by hand; nothing rather than NaN."""

import torch

from hrmlab.analysis.probes.maths.spread import by_outcome, median, quartiles


def test_middles_are_of_the_finite_numbers():
    assert median(torch.tensor([1.0, 2.0, 9.0, float("nan"), float("inf")])) == 2
    assert quartiles("x", torch.arange(5.0)) == {"x": 2, "x_q25": 1, "x_q75": 3}
    assert by_outcome(torch.tensor([1.0, 3.0]), torch.tensor([True, True])) == {"right": 2, "wrong": None}
    assert quartiles("x", torch.empty(0)) == {"x": None, "x_q25": None, "x_q75": None}
