"""The pre-norm block: attention and SwiGLU read a normalised state and add to the state itself."""

from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.kernels import rms_norm
from hrmlab.layers import SwiGLU


@BLOCKS.register(source="Xiong et al. 2020, arXiv 2002.04745; HRM-Text, arXiv 2605.20613")
@dataclass(frozen=True, kw_only=True)
class PreNorm(BlockConfig):
    """Transformer block with RMS norm before each part, no learned gains, and one more norm after the last block."""

    kind: Literal["pre_norm"] = "pre_norm"
    attention: AttentionConfig = field(default_factory=SDPA)
    eps: float = 1e-6

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        return PreNormBlock(self.attention.build(place), SwiGLU(size.width, size.hidden), self.eps)

    def finish(self, place: Place) -> nn.Module:
        """What blocks add to a state grows from one to the next; a network hands it on normalised."""
        return FinalNorm(self.eps)


class PreNormBlock(nn.Module):
    """x <- x + attention(norm(x)); x <- x + mlp(norm(x))."""

    def __init__(self, attention: nn.Module, mlp: nn.Module, eps: float) -> None:
        super().__init__()
        self.attention, self.mlp, self.eps = attention, mlp, eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        x = x + self.attention(rms_norm(x, self.eps), context)
        mixed: Tensor = x + self.mlp(rms_norm(x, self.eps))
        return mixed


class FinalNorm(nn.Module):
    """RMS norm without gains, as the last member of a network."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """The shape of x is kept."""
        return rms_norm(x, self.eps)
