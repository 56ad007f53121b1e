"""HRM's block: attention and SwiGLU, each added and then normalised."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context, leading
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.kernels import add_rms_norm
from hrmlab.layers import SwiGLU


@BLOCKS.register(source="Wang et al. 2025, arXiv 2506.21734")
@dataclass(frozen=True, kw_only=True)
class PostNorm(BlockConfig):
    """Transformer block with RMS norm after each addition and no learned gains."""

    kind: Literal["post_norm"] = "post_norm"
    attention: AttentionConfig = field(default_factory=SDPA)
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        return PostNormBlock(self.attention.build(place), SwiGLU(size.width, size.hidden), self.eps)


class PostNormBlock(nn.Module):
    """x <- norm(x + attention(x)); x <- norm(x + mlp(x))."""

    def __init__(self, attention: nn.Module, mlp: nn.Module, eps: float) -> None:
        super().__init__()
        self.attention, self.mlp, self.eps = attention, mlp, eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        return self._through(x, self.attention(x, context))

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        """The first `count` positions of `self(x, context)`, (B, count, W)."""
        return self._through(x[:, :count], leading(self.attention, x, context, count))

    def _through(self, x: Tensor, mixed: Tensor) -> Tensor:
        x = add_rms_norm(x, mixed, self.eps)
        return add_rms_norm(x, self.mlp(x), self.eps)
