"""How a position knows where it stands: rotary angles, learned vectors, or nothing."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from hrmlab.registry import Part, Registry

POSITIONS = Registry("positions")


class PositionsConfig(Part):
    """Base of all kinds of positions; attention reads rotary angles, the token embedding adds learned vectors."""

    registry: ClassVar[Registry] = POSITIONS
    kind: str


@POSITIONS.register(source="Su et al. 2021, arXiv 2104.09864")
@dataclass(frozen=True, kw_only=True)
class Rotary(PositionsConfig):
    """Queries and keys turned by angles that grow with the position."""

    kind: Literal["rotary"] = "rotary"
    theta: float = 10000.0


@POSITIONS.register(source="Vaswani et al. 2017, arXiv 1706.03762")
@dataclass(frozen=True, kw_only=True)
class Learned(PositionsConfig):
    """One learned vector for each position, averaged with the token's."""

    kind: Literal["learned"] = "learned"


@POSITIONS.register(source="-")
@dataclass(frozen=True, kw_only=True)
class NoPositions(PositionsConfig):
    """No positions: the block itself tells cells apart, or is meant not to."""

    kind: Literal["none"] = "none"
