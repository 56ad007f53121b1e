"""The attention protocol: `attention(x, context) -> x`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from hrmlab.attention.place import Place
from hrmlab.layers import Rotation
from hrmlab.registry import Part, Registry

ATTENTION = Registry("attention")


@dataclass(frozen=True)
class Context:
    """What a position may know beside its own state.

    rotation: rotary angles of the positions, or None.
    mask: True where a query (rows) may look at a key (columns), broadcastable to (B, H, N, N), or None.
    """

    rotation: Rotation | None = None
    mask: Tensor | None = None


def leading(attention: nn.Module, x: Tensor, context: Context, count: int) -> Tensor:
    """The first `count` positions of `attention(x, context)`, (B, count, W), by a shorter way if it has one."""
    short = getattr(attention, "leading", None)
    some: Tensor = attention(x, context)[:, :count] if short is None else short(x, context, count)
    return some


class AttentionConfig(Part, ABC):
    """Base of all attention kinds. `build` returns a module called as `module(x, context)`, (B, N, W) -> (B, N, W)."""

    registry: ClassVar[Registry] = ATTENTION
    kind: str

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """Raises ConfigError if the heads do not divide the width, or if the task lacks what this attention reads."""
