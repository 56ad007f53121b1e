"""URM's block: a short convolution along the sequence inside the feed-forward layer."""

import math
from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention import SDPA, AttentionConfig, Context, leading
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.errors import ConfigError
from hrmlab.kernels import add_rms_norm, swiglu_halves
from hrmlab.layers import Linear


@BLOCKS.register(source="URM, arXiv 2512.14693, section 3: ConvSwiGLU; the form of its released code")
@dataclass(frozen=True, kw_only=True)
class ConvSwiGLU(BlockConfig):
    """Post-norm block whose SwiGLU mixes each hidden number with the positions beside it, after the gate.

    The sequence runs through rows and from puzzle slots to cells without a break, as URM's does.

    kernel: positions that a number is made of; of 2, those are the one before and its own.
    """

    kind: Literal["conv_swiglu"] = "conv_swiglu"
    attention: AttentionConfig = field(default_factory=SDPA)
    kernel: int = 2
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        size = self.cells_only(place).size
        if self.kernel < 1:
            raise ConfigError(f"block 'conv_swiglu' came with kernel={self.kernel}; wanted 1 or more")
        mlp = ConvolvedSwiGLU(size.width, size.hidden, self.kernel)
        return ConvSwiGLUBlock(self.attention.build(place), mlp, self.eps)


class ConvSwiGLUBlock(nn.Module):
    """x <- norm(x + attention(x)); x <- norm(x + mlp(x)), the second mixing positions too."""

    def __init__(self, attention: nn.Module, mlp: "ConvolvedSwiGLU", eps: float) -> None:
        super().__init__()
        self.attention, self.mlp, self.eps = attention, mlp, eps

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        x = add_rms_norm(x, self.attention(x, context), self.eps)
        return add_rms_norm(x, self.mlp(x), self.eps)

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        """The first `count` positions of `self(x, context)`, (B, count, W)."""
        needed = count + self.mlp.ahead
        some = add_rms_norm(x[:, :needed], leading(self.attention, x, context, needed), self.eps)
        return add_rms_norm(some, self.mlp(some), self.eps)[:, :count]


class ConvolvedSwiGLU(nn.Module):
    """down(silu(convolution(silu(gate(x)) * up(x)))), the convolution apart for each hidden number.

    Its weights have torch's shapes and start as torch's do. The few products are summed one by one: no transposed copy,
    and as exact in every type.

    Attributes:
        ahead: how many later positions one reads.
    """

    def __init__(self, width: int, hidden: int, kernel: int) -> None:
        super().__init__()
        self.before, self.ahead = kernel // 2, kernel - 1 - kernel // 2
        self.gate_up = Linear(width, 2 * hidden)
        self.down = Linear(hidden, width)
        bound = 1 / math.sqrt(kernel)
        self.taps = nn.Parameter(torch.empty(hidden, 1, kernel).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(hidden).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        down: Tensor = self.down(F.silu(self.convolved(swiglu_halves(self.gate_up(x)))))
        return down

    def convolved(self, x: Tensor) -> Tensor:
        """(B, N, hidden) -> the same shape; zeros stand beyond both ends."""
        positions, wide = x.shape[1], F.pad(x, (0, 0, self.before, self.ahead))
        out = self.bias.to(x.dtype)
        for at, tap in enumerate(self.taps.to(x.dtype).unbind(-1)):
            out = out + wide[:, at : at + positions] * tap.squeeze(-1)
        return out
