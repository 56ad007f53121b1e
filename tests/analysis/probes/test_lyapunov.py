"""D-15: exponents of known maps, and volumes against the whole Jacobian."""

import math

import pytest
import torch
from planted import NUMBERS, block_matrix, linear

from hrmlab.analysis.probes.lyapunov import Lyapunov, through_segment
from hrmlab.analysis.probes.maths.linearised import Linearised
from hrmlab.analysis.probes.maths.lyapunov import orthonormal
from hrmlab.analysis.probes.steps import joined, segment_step, states_after
from hrmlab.core.schedules import TRMSchedule


def test_exponents_of_a_linear_map_are_the_logarithms_of_its_eigenvalues(subject):
    known = [1.1, 0.8, 0.5]
    one = subject(linear(block_matrix(torch.diag(torch.tensor(known)), 0.01), cycles=8), segments=16)
    found = Lyapunov(puzzles=2, exponents=3).run(one)
    values = [found.scalars[f"exponent_{k}"] for k in (1, 2, 3)]
    assert values == pytest.approx([math.log(value) for value in known], abs=0.06)


def test_chaos_has_a_positive_exponent_and_rest_a_negative_one(subject):
    grows, rests = (Lyapunov(puzzles=2, exponents=1).run(subject(linear(factor * torch.eye(NUMBERS))))
                    for factor in (1.5, 0.5))  # fmt: skip
    assert grows.scalars["exponent_1"] == pytest.approx(math.log(1.5), abs=1e-3)
    assert rests.scalars["exponent_1"] == pytest.approx(math.log(0.5), abs=1e-3)


@pytest.mark.parametrize("parts", [{}, {"schedule": TRMSchedule(high_cycles=2, low_cycles=2)}])
def test_volumes_are_those_of_the_whole_segments_jacobian(subject, parts):
    one = subject(**parts)
    batch = one.some(2)
    states = states_after(one.model, batch, 1)[-1]
    z = joined(states)
    start, _ = orthonormal(torch.randn(2, 2, z.shape[1], generator=torch.Generator().manual_seed(0)))
    _, grown = through_segment(one.model, batch, states, start)
    linear_map = Linearised(segment_step(one.model, batch, states), z)
    moved = torch.stack([linear_map.push(v) for v in start.unbind(1)], 1)
    volume = torch.logdet(moved @ moved.transpose(1, 2)) / 2
    torch.testing.assert_close(grown.sum(1), volume, rtol=1e-2, atol=2e-2)


def test_the_model_is_left_as_it_was(subject):
    one = subject(segments=1)
    found = Lyapunov(puzzles=2, exponents=2).run(one)
    assert len(found.table) == 4
    assert found.scalars["auc"] is None  # nothing is right
    assert all(p.grad is None for p in one.model.parameters())
