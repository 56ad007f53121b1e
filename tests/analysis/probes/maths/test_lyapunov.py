"""Gram-Schmidt by hand."""

import torch

from hrmlab.analysis.probes.maths.lyapunov import orthonormal


def test_lengths_of_what_is_each_ones_own():
    tangents = torch.tensor([[[2.0, 0.0, 0.0], [7.0, 3.0, 0.0]]])
    q, grown = orthonormal(tangents)
    torch.testing.assert_close(grown.exp(), torch.tensor([[2.0, 3.0]]))
    torch.testing.assert_close(q[0] @ q[0].T, torch.eye(2))
    torch.testing.assert_close(q[0, 0].abs(), torch.tensor([1.0, 0.0, 0.0]))


def test_a_tangent_that_is_lost_is_replaced():
    q, grown = orthonormal(torch.tensor([[[1.0, 0.0], [3.0, 0.0]]]))
    assert grown[0, 1] < -60
    torch.testing.assert_close(q[0] @ q[0].T, torch.eye(2))
