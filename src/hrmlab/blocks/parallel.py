"""The parallel block: attention and feed-forward read the same state, and both are added to it."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context, leading
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.kernels import add_rms_norm
from hrmlab.layers import SwiGLU


@BLOCKS.register(source="GPT-J; Chowdhery et al. 2022, arXiv 2204.02311; norm after as in arXiv 2506.21734")
@dataclass(frozen=True, kw_only=True)
class Parallel(BlockConfig):
    """Attention and SwiGLU side by side, one addition and one RMS norm after it: fewer steps that wait for each other.

    The papers' norm stands before; a state that recurs wants it after (`post_norm`), and has then been normalised by
    the block before.
    """

    kind: Literal["parallel"] = "parallel"
    attention: AttentionConfig = field(default_factory=SDPA)
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        return ParallelBlock(self.attention.build(place), SwiGLU(size.width, size.hidden), self.eps)


class ParallelBlock(nn.Module):
    """x <- norm(x + attention(x) + mlp(x))."""

    def __init__(self, attention: nn.Module, mlp: nn.Module, eps: float) -> None:
        super().__init__()
        self.attention, self.mlp, self.eps = attention, mlp, eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        return add_rms_norm(x, self.attention(x, context) + self.mlp(x), self.eps)

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        """The first `count` positions of `self(x, context)`, (B, count, W)."""
        some = x[:, :count]
        return add_rms_norm(some, leading(self.attention, x, context, count) + self.mlp(some), self.eps)
