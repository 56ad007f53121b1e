"""Levels read each other by attention: queries from the level that is updated, keys and values from its sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, rotate
from hrmlab.transitions.base import INJECTIONS, InjectionConfig, Joint

INPUT = "input"


@INJECTIONS.register(source="Vaswani et al. 2017, arXiv 1706.03762; across levels: hrm-lab")
@dataclass(frozen=True, kw_only=True)
class CrossAttention(InjectionConfig):
    """x = state + input + attention(queries: state, keys and values: the other sources), which begins at zero.

    A cell can read of another level what stands at other cells; the sum gives it its own cell alone.
    """

    kind: Literal["cross_attention"] = "cross_attention"

    def build(self, joint: Joint) -> nn.Module:
        if joint.place.symbol_axis:
            raise ConfigError(
                "injection 'cross_attention' reads states of cells, not of cells x symbols; use 'gate' or 'concat'"
            )
        return CrossAttentionInjection(joint)


class CrossAttentionInjection(nn.Module):
    """An attention for each level that is read; the input is added."""

    def __init__(self, joint: Joint) -> None:
        super().__init__()
        size = joint.place.size
        self.heads, self.levels = size.heads, [name != INPUT for name in joint.sources]
        read = sum(self.levels)
        self.queries = Linear(size.width, read * size.heads * size.head_width) if read else None
        self.known = nn.ModuleList([Linear(size.width, 2 * size.width) for _ in range(read)])
        self.out = Linear(read * size.width, size.width, std=0.0) if read else None

    def forward(self, state: Tensor, sources: Sequence[Tensor], context: Context) -> Tensor:
        """(B, N, W), sources of the same shape -> (B, N, W)."""
        read = [source for source, level in zip(sources, self.levels, strict=True) if level]
        added = [source for source, level in zip(sources, self.levels, strict=True) if not level]
        x = sum(added, start=state)
        if self.queries is None or self.out is None:
            return x
        asked = self.queries(state).view(*state.shape[:-1], len(read), self.heads, -1).unbind(2)
        heads = [
            self._read(q, known(source), context) for q, known, source in zip(asked, self.known, read, strict=True)
        ]
        found: Tensor = self.out(torch.cat(heads, dim=-1))
        return x + found

    def _read(self, q: Tensor, of_source: Tensor, context: Context) -> Tensor:
        k, v = of_source.view(*of_source.shape[:-1], 2 * self.heads, -1).chunk(2, dim=2)
        if context.rotation is not None:
            q, k = rotate(q, context.rotation), rotate(k, context.rotation)
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v, attn_mask=context.mask).transpose(1, 2).flatten(2)
