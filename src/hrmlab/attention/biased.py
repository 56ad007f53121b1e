"""Attention that learns how much to look in each direction and distance on the board."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention.base import ATTENTION, AttentionConfig, Context
from hrmlab.attention.place import Place
from hrmlab.attention.sdpa import SelfAttention


@ATTENTION.register(source="Liu et al. 2021, arXiv 2103.14030, relative position bias")
@dataclass(frozen=True, kw_only=True)
class Biased(AttentionConfig):
    """Softmax attention with a learned number for each head, difference of rows and difference of columns.

    They are added to the scores and start at zero, which is `sdpa`; pairs with a puzzle slot get none. Their number
    depends on the board's size. A sequence is a board of one row.
    """

    kind: Literal["biased"] = "biased"

    def build(self, place: Place) -> nn.Module:
        return BiasedAttention(place)


class BiasedAttention(SelfAttention):
    """`SelfAttention` with a table of biases, (H, differences of rows x differences of columns)."""

    steps: Tensor

    def __init__(self, place: Place) -> None:
        super().__init__(place.size)
        cells = place.spec.coordinates
        rows, columns = cells.max(axis=0) + 1
        apart = cells[:, None] - cells + (rows - 1, columns - 1)
        steps = torch.from_numpy(apart[..., 0] * (2 * columns - 1) + apart[..., 1])
        self.slots = place.slots
        self.bias = nn.Parameter(torch.zeros(self.heads, int((2 * rows - 1) * (2 * columns - 1))))
        self.register_buffer("steps", steps, persistent=False)

    def scope(self, context: Context, dtype: torch.dtype) -> Tensor:
        between = self.bias.to(dtype).index_select(1, self.steps.flatten()).view(-1, *self.steps.shape)
        bias = F.pad(between, (self.slots, 0, self.slots, 0))
        return bias if context.mask is None else bias.masked_fill(~context.mask, -torch.inf)
