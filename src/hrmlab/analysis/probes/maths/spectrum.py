"""Norms and spectral radius of linear maps known only by their products; one map for each of B puzzles.

`push` is v -> J v and `pull` is u -> J^T u, both (B, D) -> (B, D).
"""

from collections.abc import Callable

import torch
from torch import Tensor

Product = Callable[[Tensor], Tensor]
TINY = 1e-30


def spectral_norm(push: Product, pull: Product, start: Tensor, iterations: int = 20) -> Tensor:
    """|J|_2 of each map, (B,), by power iteration on J^T J, which approaches it from below.

    Args:
        start: (B, D), random.
    """
    v, size = _unit(start), torch.zeros_like(start[:, 0])
    for _ in range(iterations):
        image = push(v)
        size = image.norm(dim=1)
        v = _unit(pull(image))
    return size


def growth_rate(push: Product, start: Tensor, iterations: int = 40) -> Tensor:
    """Spectral radius of each map, (B,): the rate at which |J^k v| grows, from k = `iterations` / 2 on.

    The slope of ln |J^k v| by least squares. With a pair of complex eigenvalues |J v| / |v| swings for ever, and a
    Rayleigh quotient converges to neither; the slope averages the swings out. 0 where v is lost altogether.
    """
    v, total, heights = _unit(start), torch.zeros_like(start[:, 0]), []
    lost = torch.zeros_like(total, dtype=torch.bool)
    for _ in range(iterations):
        v = push(v)
        size = v.norm(dim=1)
        lost |= size <= TINY
        total = total + size.clamp_min(TINY).log()
        heights.append(total)
        v = _unit(v)
    late = torch.stack(heights[iterations // 2 :]).double()
    k = torch.arange(len(late), device=late.device, dtype=late.dtype)
    k = k - k.mean()
    slope = (k[:, None] * late).sum(0) / k.square().sum()
    return torch.where(lost, 0.0, slope.exp().to(start.dtype))


def frobenius(pull: Product, draws: Tensor) -> Tensor:
    """|J|_F of each map, (B,), by Hutchinson's estimate: E |J^T v|^2 over v of independent signs.

    Args:
        draws: (K, B, D) of plus and minus one.
    """
    return torch.stack([pull(v).square().sum(1) for v in draws]).mean(0).sqrt()


def signs(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Plus and minus one, equally likely."""
    return torch.randint(0, 2, shape, generator=generator).float() * 2 - 1


def _unit(v: Tensor) -> Tensor:
    unit: Tensor = v / v.norm(dim=1, keepdim=True).clamp_min(TINY)
    return unit
