"""Layers that several parts share: casted linear maps, SwiGLU, initialisation, rotary positions.

Letters in shapes: B batch, N positions, S symbols, W width, H heads, D width of a head.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.kernels import swiglu_halves

Rotation = tuple[Tensor, Tensor]
"""Cosine and sine of the rotary angles, each of shape (N, D)."""


def truncated_normal_(tensor: Tensor, std: float) -> Tensor:
    """Fill in place from a normal distribution cut at two standard deviations, whose own deviation is `std`.

    Cutting narrows the distribution; the width is corrected for it, as JAX's initialisers do (torch's does not).
    """
    if tensor.is_meta:
        return tensor  # has no numbers; and torch would load its compiler, two seconds, to say so
    with torch.no_grad():
        if std == 0:
            return tensor.zero_()
        upper = math.erf(math.sqrt(2))  # probability mass within two standard deviations
        density = math.exp(-2) / math.sqrt(2 * math.pi)
        kept = math.sqrt(1 - 4 * density / upper)  # deviation left of a unit normal after the cut
        width = std / kept
        tensor.uniform_(-upper, upper).erfinv_().mul_(math.sqrt(2) * width)
        return tensor.clamp_(-2 * width, 2 * width)


class Linear(nn.Module):
    """Linear map whose float32 weights are cast to the dtype of what comes in."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = False, std: float | None = None) -> None:
        super().__init__()
        std = 1 / math.sqrt(inputs) if std is None else std
        self.weight = nn.Parameter(truncated_normal_(torch.empty(outputs, inputs), std))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        bias = None if self.bias is None else self.bias.to(x.dtype)
        return F.linear(x, self.weight.to(x.dtype), bias)

    def matrix(self) -> Tensor:
        """What x is multiplied by, (outputs, inputs): for callers that need only some of its rows."""
        return self.weight


def feed_forward_width(width: int, expansion: float, multiple: int) -> int:
    """Hidden width of a SwiGLU: two thirds of `expansion * width`, rounded up to a multiple."""
    return -(-round(expansion * width * 2 / 3) // multiple) * multiple


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)), gate and up in one product (Shazeer 2020, arXiv 2002.05202)."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.gate_up = Linear(width, 2 * hidden)
        self.down = Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        """(..., W) -> (..., W)."""
        down: Tensor = self.down(swiglu_halves(self.gate_up(x)))
        return down


def rotation(positions: int, head_width: int, theta: float) -> Rotation:
    """Rotary angles (Su et al. 2021, arXiv 2104.09864) for positions 0..N-1: cosine and sine, each (N, D)."""
    return turning(angles(torch.arange(positions), head_width, theta))


def angles(positions: Tensor, width: int, theta: float) -> Tensor:
    """Positions (N,) times width / 2 frequencies, from 1 down towards 1 / theta: (N, width / 2)."""
    frequencies = theta ** -(torch.arange(0, width, 2, dtype=torch.float32) / width)
    return torch.outer(positions.float(), frequencies)


def turning(angles: Tensor) -> Rotation:
    """Angles of the pairs (i, i + D/2) of a head's numbers, (N, D/2) -> their cosine and sine for each number."""
    both = torch.cat((angles, angles), dim=-1)
    return both.cos(), both.sin()


def rotate(x: Tensor, rotation: Rotation) -> Tensor:
    """Turn queries or keys, shape (B, N, H, D), by their positions' angles."""
    cos, sin = (part[None, :, None, :] for part in rotation)
    first, second = x.float().chunk(2, dim=-1)
    return (x.float() * cos + torch.cat((-second, first), dim=-1) * sin).to(x.dtype)
