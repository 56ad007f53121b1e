"""How a position knows where it stands: rotary angles, learned vectors, or nothing."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from hrmlab.attention.place import Place
from hrmlab.errors import ConfigError
from hrmlab.layers import Rotation, angles, rotation, truncated_normal_, turning
from hrmlab.registry import Part, Registry
from hrmlab.spec import TaskSpec

POSITIONS = Registry("positions")


class PositionsConfig(Part):
    """Base of all kinds of positions; attention reads rotary angles, the token embedding adds learned vectors."""

    registry: ClassVar[Registry] = POSITIONS
    kind: str

    def rotation(self, place: Place) -> Rotation | None:
        """Angles that turn queries and keys, or None. Raises ConfigError if heads or board do not allow them."""
        return None

    def vectors(self, spec: TaskSpec, slots: int, width: int) -> "nn.Parameter | BoardVectors | None":
        """Vectors that the token embedding adds before it scales by sqrt(W), (slots + seq_len, W), or None.

        Raises:
            ConfigError: the board does not allow them.
        """
        return None

    def board(self, spec: TaskSpec) -> TaskSpec:
        """The spec itself, for kinds that need rows and columns. Raises ConfigError without them."""
        if len(spec.shape) != 2:
            raise ConfigError(
                f"positions '{self.kind}' need a board of rows and columns, and the task has shape "
                f"{list(spec.shape)}; use positions 'rotary' or 'learned'"
            )
        return spec


@POSITIONS.register(source="Su et al. 2021, arXiv 2104.09864")
@dataclass(frozen=True, kw_only=True)
class Rotary(PositionsConfig):
    """Queries and keys turned by angles that grow with the position."""

    kind: Literal["rotary"] = "rotary"
    theta: float = 10000.0

    def rotation(self, place: Place) -> Rotation:
        head_width = place.size.width // place.size.heads
        if head_width % 2:
            raise ConfigError(f"rotary positions turn pairs, but a head of width {head_width} is odd; change heads")
        return rotation(place.positions, head_width, self.theta)


@POSITIONS.register(source="axial form of Heo et al. 2024, arXiv 2403.13298")
@dataclass(frozen=True, kw_only=True)
class Rotary2D(PositionsConfig):
    """Half of a head's pairs turned by the row, half by the column: scores know differences of both.

    Puzzle slots stand at row and column zero, outside the board, whose first cell is at (1, 1).

    theta: slowest frequency is about 1 / theta; boards are short, so that it is smaller than a sequence's.
    """

    kind: Literal["rotary_2d"] = "rotary_2d"
    theta: float = 100.0

    def rotation(self, place: Place) -> Rotation:
        head_width = place.size.width // place.size.heads
        if head_width % 4:
            raise ConfigError(
                f"positions 'rotary_2d' turn pairs by rows and as many by columns, but a head of width {head_width} is "
                "no multiple of 4; change heads"
            )
        cells = torch.tensor(self.board(place.spec).coordinates) + 1
        rows, columns = torch.cat((cells.new_zeros(place.slots, 2), cells)).unbind(1)
        return turning(torch.cat([angles(axis, head_width // 2, self.theta) for axis in (rows, columns)], dim=1))


@POSITIONS.register(source="Vaswani et al. 2017, arXiv 1706.03762")
@dataclass(frozen=True, kw_only=True)
class Learned(PositionsConfig):
    """One learned vector for each position, averaged with the token's."""

    kind: Literal["learned"] = "learned"

    def vectors(self, spec: TaskSpec, slots: int, width: int) -> nn.Parameter:
        return nn.Parameter(truncated_normal_(torch.empty(slots + spec.seq_len, width), 1 / math.sqrt(width)))


@POSITIONS.register(source="hrm-lab; rows and columns apart as in Dosovitskiy et al. 2020, arXiv 2010.11929")
@dataclass(frozen=True, kw_only=True)
class Learned2D(PositionsConfig):
    """One learned vector for each row and one for each column, their sum averaged with the token's; none for slots."""

    kind: Literal["learned_2d"] = "learned_2d"

    def vectors(self, spec: TaskSpec, slots: int, width: int) -> "BoardVectors":
        return BoardVectors(self.board(spec), slots, width)


class BoardVectors(nn.Module):
    """A row's vector plus a column's. Puzzle slots get zeros: their own numbers tell them apart."""

    def __init__(self, spec: TaskSpec, slots: int, width: int) -> None:
        super().__init__()
        rows, columns = spec.shape
        std = 1 / math.sqrt(2 * width)  # of the two sums, the variance of one vector of `Learned`
        self.slots = slots
        self.rows = nn.Parameter(truncated_normal_(torch.empty(rows, width), std))
        self.columns = nn.Parameter(truncated_normal_(torch.empty(columns, width), std))

    def forward(self) -> Tensor:
        """() -> (slots + seq_len, W)."""
        cells = (self.rows[:, None] + self.columns).flatten(0, 1)
        return nn.functional.pad(cells, (0, 0, self.slots, 0))


@POSITIONS.register(source="-")
@dataclass(frozen=True, kw_only=True)
class NoPositions(PositionsConfig):
    """No positions: the block itself tells cells apart, or is meant not to."""

    kind: Literal["none"] = "none"
