"""Matrices whose norms and radii are known: a non-normal one, and a pair of complex eigenvalues."""

import math

import pytest
import torch

from hrmlab.analysis.probes.maths.spectrum import frobenius, growth_rate, signs, spectral_norm

NON_NORMAL = torch.tensor([[0.5, 5.0], [0.0, 0.4]])
"""Eigenvalues 0.5 and 0.4; stretches by five."""


def turned(radius, angle, shear=1.0):
    """Eigenvalues radius * exp(+-i angle), in a skewed basis."""
    c, s = radius * math.cos(angle), radius * math.sin(angle)
    return torch.tensor([[c, -s * shear], [s / shear, c]])


def products(*matrices):
    stack = torch.stack(matrices)
    return (lambda v: torch.einsum("bij,bj->bi", stack, v)), (lambda u: torch.einsum("bji,bj->bi", stack, u))


def test_norms_are_those_of_the_singular_values():
    push, pull = products(NON_NORMAL, turned(0.9, 1.3, 3.0))
    found = spectral_norm(push, pull, torch.ones(2, 2), 30)
    wanted = torch.stack([torch.linalg.matrix_norm(m, 2) for m in (NON_NORMAL, turned(0.9, 1.3, 3.0))])
    torch.testing.assert_close(found, wanted, rtol=1e-3, atol=0)


@pytest.mark.parametrize("angle", [0.3, 1.0, math.pi / 2, 2.5])
def test_a_complex_pair_grows_by_its_modulus(angle):
    push, _ = products(turned(0.9, angle, 4.0))
    assert float(growth_rate(push, torch.ones(1, 2), 60)) == pytest.approx(0.9, rel=0.02)


def test_a_radius_below_one_is_not_hidden_by_a_large_norm():
    push, _ = products(NON_NORMAL)
    assert float(growth_rate(push, torch.ones(1, 2), 60)) == pytest.approx(0.5, rel=0.01)


def test_maps_that_lose_everything_have_radius_zero():
    push, pull = products(torch.tensor([[0.0, 1.0], [0.0, 0.0]]), torch.zeros(2, 2))
    assert growth_rate(push, torch.ones(2, 2), 10).tolist() == [0.0, 0.0]
    assert spectral_norm(push, pull, torch.ones(2, 2), 10).tolist() == [1.0, 0.0]


def test_hutchinsons_estimate():
    matrix = torch.randn(20, 20, generator=torch.Generator().manual_seed(0))
    _, pull = products(matrix)
    found = frobenius(pull, signs((400, 1, 20), torch.Generator().manual_seed(1)))
    assert float(found) == pytest.approx(float(matrix.norm()), rel=0.03)
    assert frobenius(products(torch.diag(torch.tensor([3.0, 4.0])))[1], torch.ones(1, 1, 2)).item() == 5.0
