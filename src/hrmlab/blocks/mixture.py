"""A block with several feed-forward layers, each of which picks the positions that it works on."""

import math
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.errors import ConfigError
from hrmlab.kernels import add_rms_norm
from hrmlab.layers import Linear, SwiGLU


@BLOCKS.register(source="Zhou et al. 2022, arXiv 2202.09368, expert choice; within each puzzle")
@dataclass(frozen=True, kw_only=True)
class Mixture(BlockConfig):
    """Post-norm block with a mixture of SwiGLU experts; each takes the positions of a puzzle that suit it best.

    Experts choose positions rather than positions experts: every expert gets as many, so that no balancing loss has to
    leave the block and no shape depends on the data. They choose within one puzzle, which therefore does not depend on
    others in the batch. A position may get several experts or none (and is then kept as it is). Padding competes with
    cells for places.

    experts: how many feed-forward layers.
    taken: experts that a position gets on average; with 1 the block costs what `post_norm` does.
    """

    kind: Literal["mixture"] = "mixture"
    attention: AttentionConfig = field(default_factory=SDPA)
    experts: int = 4
    taken: float = 1.0
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        if not (self.experts >= 1 and 0 < self.taken <= self.experts):
            raise ConfigError(
                f"block 'mixture' came with experts={self.experts} and taken={self.taken}; wanted one expert or more, "
                "and taken over 0 and not over experts"
            )
        places = math.ceil(place.positions * self.taken / self.experts)
        experts = Experts([SwiGLU(size.width, size.hidden) for _ in range(self.experts)], size.width, places)
        return MixtureBlock(self.attention.build(place), experts, self.eps)


class MixtureBlock(nn.Module):
    """x <- norm(x + attention(x)); x <- norm(x + experts(x))."""

    def __init__(self, attention: nn.Module, experts: nn.Module, eps: float) -> None:
        super().__init__()
        self.attention, self.experts, self.eps = attention, experts, eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        x = add_rms_norm(x, self.attention(x, context), self.eps)
        return add_rms_norm(x, self.experts(x), self.eps)


class Experts(nn.Module):
    """Sum over the experts that picked a position, of the position's affinity to the expert times what it answers.

    Args:
        places: positions of each puzzle that an expert takes.
    """

    def __init__(self, experts: list[SwiGLU], width: int, places: int) -> None:
        super().__init__()
        self.experts, self.places = nn.ModuleList(experts), places
        self.router = Linear(width, len(experts))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        affinity = self.router(x.float()).softmax(dim=-1)  # a choice is not left to rounding
        weight, chosen = affinity.topk(self.places, dim=1)  # (B, places, experts)
        total = torch.zeros_like(x)
        for at, expert in enumerate(self.experts):
            here = chosen[..., at, None].expand(-1, -1, x.shape[-1])
            answer = expert(x.gather(1, here)) * weight[..., at, None].to(x.dtype)
            total = total + torch.zeros_like(x).scatter(1, here, answer)
        return total
