"""A pre-norm block whose parts are let in slowly: a learned number for each feature of what they add."""

from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.blocks.pre_norm import FinalNorm
from hrmlab.kernels import rms_norm
from hrmlab.layers import SwiGLU


@BLOCKS.register(source="LayerScale, Touvron et al. 2021, arXiv 2103.17239; ReZero, arXiv 2003.04887")
@dataclass(frozen=True, kw_only=True)
class GatedResidual(BlockConfig):
    """Pre-norm block that adds gates times its parts: near the identity at first, so that many updates stay tame.

    gate: where all gates start. 0 is ReZero's identity, whose parts learn nothing before the gates have moved.
    """

    kind: Literal["gated_residual"] = "gated_residual"
    attention: AttentionConfig = field(default_factory=SDPA)
    gate: float = 0.1
    eps: float = 1e-6

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        mlp = SwiGLU(size.width, size.hidden)
        return GatedResidualBlock(self.attention.build(place), mlp, size.width, self.gate, self.eps)

    def finish(self, place: Place) -> nn.Module:
        """A network hands its state on normalised, as `pre_norm` does."""
        return FinalNorm(self.eps)


class GatedResidualBlock(nn.Module):
    """x <- x + a * attention(norm(x)); x <- x + b * mlp(norm(x)), a and b of shape (W,)."""

    def __init__(self, attention: nn.Module, mlp: nn.Module, width: int, gate: float, eps: float) -> None:
        super().__init__()
        self.attention, self.mlp, self.eps = attention, mlp, eps
        self.attention_gate = nn.Parameter(torch.full((width,), gate))
        self.mlp_gate = nn.Parameter(torch.full((width,), gate))

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        x = x + self.attention_gate.to(x.dtype) * self.attention(rms_norm(x, self.eps), context)
        mixed: Tensor = x + self.mlp_gate.to(x.dtype) * self.mlp(rms_norm(x, self.eps))
        return mixed
