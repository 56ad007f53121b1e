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
        return self._mixed(q, k, v, context, context.mask)

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        """The first `count` positions of `self(x, context)`, (B, count, W): no other asks anything."""
        width = x.shape[-1]
        weight = self.qkv.weight.to(x.dtype)
        asked, known = F.linear(x[:, :count], weight[:width]), F.linear(x, weight[width:])
        q = asked.view(*asked.shape[:-1], self.heads, -1)
        k, v = known.view(*known.shape[:-1], 2 * self.heads, -1).chunk(2, dim=2)
        mask = context.mask
        if mask is not None and mask.shape[-2] > 1:
            mask = mask[..., :count, :]
        return self.given(x[:, :count], self._mixed(q, k, v, context, mask))

    def _mixed(self, q: Tensor, k: Tensor, v: Tensor, context: Context, mask: Tensor | None) -> Tensor:
        """Queries (B, M, H, D) of the first M positions, keys and values (B, N, H, D) -> (B, M, W)."""
        if context.rotation is not None:
            cos, sin = context.rotation
            q, k = rotate(q, (cos[: q.shape[1]], sin[: q.shape[1]])), rotate(k, context.rotation)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return mixed.transpose(1, 2).flatten(2)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        return self.given(x, self.mixed(x, context))

    def given(self, x: Tensor, mixed: Tensor) -> Tensor:
        """What positions in state x get from what their heads read, both (B, M, W)."""
        out: Tensor = self.out(mixed)
        return out
