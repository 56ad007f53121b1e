"""Where a part of a network will stand: what its size is, and which positions of which board it will see."""

from dataclasses import dataclass

from hrmlab.errors import ConfigError
from hrmlab.layers import feed_forward_width
from hrmlab.registry import Strict
from hrmlab.spec import TaskSpec

MOST_LAYERS = 2000
"""Each is made one by one: without a limit a slip of the pen would never come to an end."""
WIDEST = 2**20
"""A matrix from this width to itself has as many numbers as no machine holds, though they can still be counted."""


@dataclass(frozen=True, kw_only=True)
class Size(Strict):
    """How big a model is; what it is made of stands elsewhere.

    width: of every state vector.
    layers: blocks in each network.
    heads: attention heads (blocks without attention ignore it).
    expansion: feed-forward width is two thirds of `expansion * width`, rounded up to `round_to`.
    """

    width: int = 512
    layers: int = 4
    heads: int = 8
    expansion: float = 4.0
    round_to: int = 256

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:  # nor no number
                raise ConfigError(f"size.{name}={value} came; wanted more than 0")
        if self.layers > MOST_LAYERS:
            raise ConfigError(f"size.layers={self.layers} came; wanted at most {MOST_LAYERS:,} blocks in a network")
        for name, value in (("width", self.width), ("round_to", self.round_to), ("expansion", self.expansion)):
            if (wide := value * self.width if name == "expansion" else value) > WIDEST:
                raise ConfigError(f"size.{name}={value} came, a width of {wide:,}; wanted at most {WIDEST:,}")

    @property
    def hidden(self) -> int:
        """Feed-forward width."""
        return feed_forward_width(self.width, self.expansion, self.round_to)

    @property
    def head_width(self) -> int:
        """Numbers in a head's queries, keys and values.

        Raises:
            ConfigError: the heads do not divide the width.
        """
        if self.width % self.heads:
            raise ConfigError(
                f"width {self.width} cannot be split over {self.heads} heads; choose heads that divide it"
            )
        return self.width // self.heads


@dataclass(frozen=True)
class Place:
    """Where a block and its attention will stand.

    positions: length of the state, puzzle slots included.
    slots: how many leading positions hold the puzzle embedding rather than cells.
    symbol_axis: whether states are (B, N, S, W) rather than (B, N, W).
    """

    size: Size
    spec: TaskSpec
    positions: int
    slots: int
    symbol_axis: bool
