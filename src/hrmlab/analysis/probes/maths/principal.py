"""Principal axes of many long vectors."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Plane:
    """The first axes of a sample. centre: (D,); axes: (K, D), orthonormal; shares: of the variance, by axis, all."""

    centre: Tensor
    axes: Tensor
    shares: Tensor

    def project(self, points: Tensor) -> Tensor:
        """(..., D) -> (..., K)."""
        return (points - self.centre) @ self.axes.T

    def lift(self, places: Tensor) -> Tensor:
        """(..., K) -> (..., D)."""
        return places @ self.axes


def principal(points: Tensor, axes: int = 2) -> Plane | None:
    """Axes of (n, D) by the eigenvectors of the n x n products, exact and cheap for few long vectors.

    Returns:
        None where the points do not differ in at least that many directions.
    """
    centre = points.mean(0)
    away = points - centre
    values, vectors = torch.linalg.eigh((away @ away.T).double())
    values, vectors = values.flip(0).clamp_min(0), vectors.flip(1)
    if len(values) < axes or values[axes - 1] <= 1e-10 * values[0] or not values[0] > 0:
        return None
    found = (vectors[:, :axes].T @ away.double()) / values[:axes, None].sqrt()
    return Plane(centre, found.to(points.dtype), values / values.sum())
