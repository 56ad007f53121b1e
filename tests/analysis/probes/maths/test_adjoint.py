"""The adjoint of linear maps, whose sum and spectral radius are known."""

import pytest
import torch
from linear_models import linear_model

from hrmlab.analysis.probes.maths.adjoint import linearised, solve
from hrmlab.halting import Fixed


def test_the_series_is_the_inverse_and_its_rate_the_spectral_radius():
    matrix = torch.diag(torch.tensor([0.8, -0.5, 0.1]))
    v = (torch.ones(4, 3),)
    found = solve(lambda u: (u[0] @ matrix,), v, 80, 1e-6)
    assert torch.allclose(found.vectors[0], v[0] @ torch.linalg.inv(torch.eye(3) - matrix), atol=1e-4)
    assert found.settled(1e-6).all()
    assert torch.allclose(found.rate(1e-6), torch.full((4,), 0.8), atol=1e-3)
    assert len(found.residuals) < 80


def test_terms_that_grow_are_told_from_terms_that_shrink():
    gains = torch.tensor([[0.5], [1.5], [0.0]])
    found = solve(lambda u: (gains * u[0],), (torch.ones(3, 1),), 30, 1e-4)
    assert found.settled(1e-4).tolist() == [True, False, True]
    rates = found.rate(1e-4)
    assert abs(rates[0] - 0.5) < 1e-5
    assert abs(rates[1] - 1.5) < 1e-5
    assert rates[2] == 0


def test_a_series_that_leaves_the_range_of_numbers_stays_unsettled():
    found = solve(lambda u: (torch.tensor([[1e4], [0.5]]) * u[0],), (torch.ones(2, 1),), 40, 1e-4)
    assert found.settled(1e-4).tolist() == [False, True]
    assert found.rate(1e-4)[0] > 1
    assert abs(found.residuals[-1, 0] - 1e4) < 2  # the newest term over the sum of those before


@pytest.mark.parametrize("gain", [0.5, -0.3])
def test_the_implicit_gradient_is_that_of_the_fixed_point(subject, gain):
    one = subject(linear_model(subject().model.spec, gain, 1), segments=20, halting=Fixed(max_segments=20))
    here = linearised(one, one.some(3))
    assert float(here.residual().amax()) < 1e-5
    found = solve(here.pull, here.pressure(), 30, 1e-6)
    inputs = one.model.embed(one.some(3))[0].detach()  # z = gain (z + x) has the solution z = gain x / (1 - gain)
    slope = inputs / (1 - gain) ** 2
    wanted = float((here.pressure()[0] * slope).sum()) / 3
    got = float(here.implicit(found.vectors)["state.0"])
    assert abs(got - wanted) < 1e-4 * max(abs(wanted), 1)
