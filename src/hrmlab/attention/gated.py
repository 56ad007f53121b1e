"""Softmax attention whose output a sigmoid gate of the input lets through, number by number."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention.base import ATTENTION, AttentionConfig
from hrmlab.attention.place import Place, Size
from hrmlab.attention.sdpa import SelfAttention
from hrmlab.layers import Linear


@ATTENTION.register(source="Qiu et al. 2025, arXiv 2505.06708; HRM-Text, arXiv 2605.20613")
@dataclass(frozen=True, kw_only=True)
class Gated(AttentionConfig):
    """Exact softmax attention with a sigmoid gate before the output projection."""

    kind: Literal["gated"] = "gated"

    def build(self, place: Place) -> nn.Module:
        return GatedAttention(place.size)


class GatedAttention(SelfAttention):
    """out(sigmoid(gate(x)) * attention(x)); not causal unless the context's mask says so."""

    def __init__(self, size: Size) -> None:
        super().__init__(size)
        self.gate = Linear(size.width, size.width)

    def given(self, x: Tensor, mixed: Tensor) -> Tensor:
        out: Tensor = self.out(self.gate(x).sigmoid() * mixed)
        return out
