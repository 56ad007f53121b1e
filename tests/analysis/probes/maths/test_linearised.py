"""Products with Jacobians against torch's own, and against finite differences where torch has no forward formula."""

import pytest
import torch

from hrmlab.analysis.probes.base import NotApplicable
from hrmlab.analysis.probes.maths.linearised import Linearised
from hrmlab.analysis.probes.steps import joined, moments, segment_step, states_after


def test_both_products_are_those_of_the_matrix(subject):
    one = subject()
    batch = one.some(2)
    states = states_after(one.model, batch, 1)[-1]
    z, step = joined(states), segment_step(one.model, batch, states)
    linear = Linearised(step, z)
    v = torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    pushed = linear.push(v)
    for row in (0, 7, z.shape[1] - 1):
        torch.testing.assert_close(
            pushed[:, row], (linear.pull(torch.eye(z.shape[1])[[row, row]]) * v).sum(1), rtol=1e-3, atol=1e-4
        )
    slope = (step(z + 1e-3 * v) - step(z - 1e-3 * v)) / 2e-3
    torch.testing.assert_close(pushed, slope.detach(), rtol=0.05, atol=0.02)


@pytest.mark.parametrize("name", ["sudoku-4x4", "maze-9x9"])
def test_relational_blocks_too(shipped, name):
    one = shipped(name, n=2)
    batch = one.some(2)
    moment = next(iter(moments(one.model, batch, states_after(one.model, batch, 1)[-1])))
    z, step = moment.x.flatten(1), moment.step
    linear = Linearised(step, z)
    v, u = (torch.randn(z.shape, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1))
    slope = (step(z + 1e-3 * v) - step(z - 1e-3 * v)) / 2e-3
    assert (linear.push(v) - slope).norm() < 0.01 * slope.norm()
    torch.testing.assert_close((u * linear.push(v)).sum(), (v * linear.pull(u)).sum(), rtol=1e-3, atol=1e-3)


def test_a_step_that_detaches_cannot_be_linearised():
    with pytest.raises(NotApplicable, match="detaches"):
        Linearised(lambda z: z.detach() * 2, torch.ones(1, 3))


def test_a_quadratic_by_hand():
    linear = Linearised(lambda z: z.square() / 2, torch.tensor([[1.0, 2.0]]))
    assert linear.push(torch.ones(1, 2)).tolist() == [[1.0, 2.0]]
    assert linear.pull(torch.tensor([[1.0, 10.0]])).tolist() == [[1.0, 20.0]]
