"""The block protocol: `block(x, context) -> x`, the unit that a level's network stacks."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from torch import nn

from hrmlab.registry import Part, Registry, Strict
from hrmlab.spec import TaskSpec

BLOCKS = Registry("block")


@dataclass(frozen=True, kw_only=True)
class Size(Strict):
    """How big a model is; what it is made of stands elsewhere.

    width: of every state vector.
    layers: blocks in each network.
    network_layers: the same for single networks by name (`{"high": 6}`), where they differ.
    heads: attention heads (blocks without attention ignore it).
    expansion: feed-forward width is two thirds of `expansion * width`, rounded up to `round_to`.
    """

    width: int = 512
    layers: int = 4
    network_layers: dict[str, int] = field(default_factory=dict)
    heads: int = 8
    expansion: float = 4.0
    round_to: int = 256


@dataclass(frozen=True)
class Place:
    """Where a block will stand.

    positions: length of the state, puzzle slots included.
    slots: how many leading positions hold the puzzle embedding rather than cells.
    symbol_axis: whether states are (B, N, S, W) rather than (B, N, W).
    """

    size: Size
    spec: TaskSpec
    positions: int
    slots: int
    symbol_axis: bool


class BlockConfig(Part, ABC):
    """Base of all blocks. `build` returns a module called as `module(x, context)`; the shape of x is kept.

    A block that is cheaper where few of its positions are read may also have `leading(x, context, count)`, which gives
    `module(x, context)[:, :count]`.
    """

    registry: ClassVar[Registry] = BLOCKS
    kind: str

    @abstractmethod
    def build(self, place: Place) -> nn.Module:
        """Raises ConfigError if the block cannot stand there (a symbol axis that it cannot read, say)."""

    def finish(self, place: Place) -> nn.Module | None:
        """What a network has after its last block, called as the blocks are; None for nothing."""
        return None
