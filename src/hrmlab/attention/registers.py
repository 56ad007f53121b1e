"""Attention with keys and values of its own beside those of the positions."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention.base import ATTENTION, AttentionConfig, Context
from hrmlab.attention.place import Place, Size
from hrmlab.attention.sdpa import SelfAttention
from hrmlab.errors import ConfigError
from hrmlab.layers import truncated_normal_


@ATTENTION.register(source="Sukhbaatar et al. 2019, arXiv 1907.01470, persistent memory")
@dataclass(frozen=True, kw_only=True)
class Registers(AttentionConfig):
    """Softmax attention to the positions and to learned registers, the same for every puzzle.

    A head that finds nothing to read can read a register. No mask hides them, and rotary angles do not turn them.

    count: registers, each with a key and a value for every head.
    """

    kind: Literal["registers"] = "registers"
    count: int = 4

    def build(self, place: Place) -> nn.Module:
        if self.count < 1:
            raise ConfigError(f"attention 'registers' came with count={self.count}; wanted 1 or more")
        return RegisterAttention(place.size, self.count)


class RegisterAttention(SelfAttention):
    """`SelfAttention` over N + R keys and values, the last R being parameters (H, R, D)."""

    def __init__(self, size: Size, count: int) -> None:
        super().__init__(size)
        shape = self.heads, count, size.head_width
        self.keys = nn.Parameter(truncated_normal_(torch.empty(shape), 1.0))
        self.values = nn.Parameter(truncated_normal_(torch.empty(shape), 1.0))

    def prepared(self, q: Tensor, k: Tensor, v: Tensor, context: Context) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = super().prepared(q, k, v, context)
        keys, values = (own.to(k.dtype).expand(len(k), -1, -1, -1) for own in (self.keys, self.values))
        return q, torch.cat((k, keys), dim=2), torch.cat((v, values), dim=2)

    def scope(self, context: Context, dtype: torch.dtype) -> Tensor | None:
        mask = context.mask
        return None if mask is None else F.pad(mask, (0, self.keys.shape[1]), value=True)
