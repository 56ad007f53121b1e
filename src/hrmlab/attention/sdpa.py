"""Exact softmax attention through torch's scaled_dot_product_attention (flash where the device has it)."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention.base import ATTENTION, AttentionConfig, Context
from hrmlab.attention.place import Place, Size
from hrmlab.layers import Linear, rotate


@ATTENTION.register(source="Vaswani et al. 2017, arXiv 1706.03762; fused qkv and output as in arXiv 2506.21734")
@dataclass(frozen=True, kw_only=True)
class SDPA(AttentionConfig):
    """Exact softmax attention, every position to every position."""

    kind: Literal["sdpa"] = "sdpa"

    def build(self, place: Place) -> nn.Module:
        return SelfAttention(place.size)


class SelfAttention(nn.Module):
    """Multi-head self-attention, not causal, without biases.

    Kinds of attention differ from it in one method: where their heads look (`scope`), what keys and values there are
    (`prepared`), how they are read (`attend`), or what is made of that (`given`).

    Args:
        groups: heads of keys and values, if fewer than those of queries; each serves heads / groups of them in turn.
    """

    def __init__(self, size: Size, groups: int | None = None) -> None:
        super().__init__()
        self.heads = size.heads
        self.groups = size.heads if groups is None else groups
        self.qkv = Linear(size.width, (self.heads + 2 * self.groups) * size.head_width)
        self.out = Linear(size.width, size.width)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        return self.given(x, self.mixed(x, context))

    def mixed(self, x: Tensor, context: Context) -> Tensor:
        """What the heads read, before the output projection: (B, N, W) -> (B, N, W)."""
        return self.attend(*self.prepared(*self.projected(x), context), self.scope(context, x.dtype))

    def leading(self, x: Tensor, context: Context, count: int) -> Tensor:
        """The first `count` positions of `self(x, context)`, (B, count, W): no other asks anything."""
        width = x.shape[-1]
        weight = self.qkv.matrix().to(x.dtype)
        asked, known = F.linear(x[:, :count], weight[:width]), F.linear(x, weight[width:])
        q = asked.view(*asked.shape[:-1], self.heads, -1)
        k, v = known.view(*known.shape[:-1], 2 * self.groups, -1).chunk(2, dim=2)
        scope = self.scope(context, x.dtype)
        if scope is not None and scope.shape[-2] > 1:
            scope = scope[..., :count, :]
        return self.given(x[:, :count], self.attend(*self.prepared(q, k, v, context), scope))

    def projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B, N, W) -> queries (B, N, H, D), and keys and values (B, N, groups, D)."""
        parts = self.qkv(x).unflatten(-1, (self.heads + 2 * self.groups, -1))
        q, k, v = parts.split((self.heads, self.groups, self.groups), dim=2)
        return q, k, v

    def prepared(self, q: Tensor, k: Tensor, v: Tensor, context: Context) -> tuple[Tensor, Tensor, Tensor]:
        """Heads first and positions turned in: queries (B, H, M, D) of the first M positions, keys and values
        (B, groups, N, D)."""
        if context.rotation is not None:
            cos, sin = context.rotation
            q, k = rotate(q, (cos[: q.shape[1]], sin[: q.shape[1]])), rotate(k, context.rotation)
        return q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)

    def scope(self, context: Context, dtype: torch.dtype) -> Tensor | None:
        """Where heads look, broadcastable to (B, H, N, N): True where a query may see a key, or numbers of `dtype` to
        add to the scores; None for everywhere."""
        return context.mask

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scope: Tensor | None) -> Tensor:
        """What `prepared` gave -> (B, M, W)."""
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=scope, enable_gqa=self.groups < self.heads)
        return mixed.transpose(1, 2).flatten(2)

    def given(self, x: Tensor, mixed: Tensor) -> Tensor:
        """What positions in state x get from what their heads read, both (B, M, W)."""
        out: Tensor = self.out(mixed)
        return out
