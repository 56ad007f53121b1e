"""Axes and shares that were planted."""

import torch

from hrmlab.analysis.probes.maths.principal import principal


def test_planted_axes_are_found():
    draw = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(50, 3, generator=draw))[0].T
    weights = torch.randn(200, 3, generator=draw)
    weights = (weights - weights.mean(0)) @ torch.linalg.inv(torch.linalg.cholesky(torch.cov(weights.T)).T)
    points = weights * torch.tensor([3.0, 2.0, 1.0]) @ directions + 5
    plane = principal(points)
    torch.testing.assert_close(plane.shares[:3], torch.tensor([9 / 14, 4 / 14, 1 / 14]).double(), rtol=1e-3, atol=0)
    torch.testing.assert_close((plane.axes @ directions.T).abs(), torch.eye(3)[:2], rtol=1e-2, atol=1e-2)
    assert plane.project(points).mean(0).abs().amax() < 1e-3
    torch.testing.assert_close(plane.project(plane.centre + plane.lift(torch.tensor([1.0, 2.0]))),
                               torch.tensor([1.0, 2.0]), rtol=1e-4, atol=1e-4)  # fmt: skip


def test_too_few_directions():
    assert principal(torch.ones(4, 3)) is None
    assert principal(torch.arange(4.0)[:, None] * torch.ones(3)) is None
    assert principal(torch.ones(1, 3)) is None
