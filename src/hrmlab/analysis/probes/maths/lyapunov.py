"""Exponents by which tangents grow along a path (Benettin et al. 1980)."""

import torch
from torch import Tensor

TINY = 1e-30


def orthonormal(tangents: Tensor) -> tuple[Tensor, Tensor]:
    """Gram-Schmidt of K tangents a puzzle, (B, K, D): the orthonormal ones, and ln of what each had of its own, (B, K).

    What is lost is replaced by whatever direction QR takes, and counts as a factor of 1e-30.
    """
    q, r = torch.linalg.qr(tangents.transpose(1, 2))
    return q.transpose(1, 2), r.diagonal(dim1=1, dim2=2).abs().clamp_min(TINY).log()
