"""The block protocol: `block(x, context) -> x`, the unit that a level's network stacks."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn

from hrmlab.attention import Place, Size
from hrmlab.errors import ConfigError
from hrmlab.registry import Part, Registry

__all__ = ["BLOCKS", "BlockConfig", "Place", "Size"]

BLOCKS = Registry("block")


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

    def cells_only(self, place: Place) -> Place:
        """The place itself, for blocks that read states of cells.

        Raises:
            ConfigError: the states there are of cells x symbols.
        """
        if place.symbol_axis:
            raise ConfigError(
                f"block '{self.kind}' reads states of cells, not of cells x symbols; use block 'relational'"
            )
        return place
