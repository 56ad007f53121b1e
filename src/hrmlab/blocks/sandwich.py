"""The block of recurrent-depth models: norms with learned gains before each part and after each addition."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context, leading
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.kernels import add_rms_norm, rms_norm
from hrmlab.layers import SwiGLU


@BLOCKS.register(source="Geiping et al. 2025, arXiv 2502.05171; named after Ding et al. 2021, arXiv 2105.13290")
@dataclass(frozen=True, kw_only=True)
class Sandwich(BlockConfig):
    """Transformer block with an RMS norm before each part and one after each addition, all with learned gains."""

    kind: Literal["sandwich"] = "sandwich"
    attention: AttentionConfig = field(default_factory=SDPA)
    eps: float = 1e-6

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        return SandwichBlock(self.attention.build(place), SwiGLU(size.width, size.hidden), size.width, self.eps)


class SandwichBlock(nn.Module):
    """x <- norm(x + attention(norm(x))); x <- norm(x + mlp(norm(x))).

    Gains start at one, where the second norm of two in a row does nothing and the block is close to `post_norm`.
    """

    def __init__(self, attention: nn.Module, mlp: nn.Module, width: int, eps: float) -> None:
        super().__init__()
        self.attention, self.mlp, self.eps = attention, mlp, eps
        self.before_attention, self.after_attention = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))
        self.before_mlp, self.after_mlp = nn.Parameter(torch.ones(width)), nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        read = rms_norm(x, self.eps) * self.before_attention.to(x.dtype)
        return self._through(x, self.attention(read, context))

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        """The first `count` positions of `self(x, context)`, (B, count, W)."""
        read = rms_norm(x, self.eps) * self.before_attention.to(x.dtype)
        return self._through(x[:, :count], leading(self.attention, read, context, count))

    def _through(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = add_rms_norm(x, mixed, self.eps) * self.after_attention.to(x.dtype)
        read = rms_norm(x, self.eps) * self.before_mlp.to(x.dtype)
        return add_rms_norm(x, self.mlp(read), self.eps) * self.after_mlp.to(x.dtype)
