"""Exact softmax attention through torch's scaled_dot_product_attention (flash where the device has it)."""

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention.base import ATTENTION, AttentionConfig, Context
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, rotate


@ATTENTION.register(source="Vaswani et al. 2017, arXiv 1706.03762; fused qkv and output as in arXiv 2506.21734")
@dataclass(frozen=True, kw_only=True)
class SDPA(AttentionConfig):
    """Exact softmax attention, every position to every position."""

    kind: Literal["sdpa"] = "sdpa"

    def build(self, width: int, heads: int) -> nn.Module:
        return SelfAttention(width, heads)


class SelfAttention(nn.Module):
    """Multi-head self-attention, not causal, without biases."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ConfigError(f"width {width} cannot be split over {heads} heads; choose heads that divide it")
        self.heads = heads
        self.qkv = Linear(width, 3 * width)
        self.out = Linear(width, width)

    def mixed(self, x: Tensor, context: Context) -> Tensor:
        """What the heads read, before the output projection: (B, N, W) -> (B, N, W)."""
        q, k, v = self.qkv(x).unflatten(-1, (3 * self.heads, -1)).chunk(3, dim=2)
        if context.rotation is not None:
            q, k = rotate(q, context.rotation), rotate(k, context.rotation)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=context.mask)
        return mixed.transpose(1, 2).flatten(2)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        out: Tensor = self.out(self.mixed(x, context))
        return out
