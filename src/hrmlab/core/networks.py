"""What a network is made of, where it is not as the model's others are."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hrmlab.blocks.base import BlockConfig, Size
from hrmlab.core.schedule import Schedule
from hrmlab.errors import ConfigError
from hrmlab.registry import Strict
from hrmlab.transitions.base import InjectionConfig, RetentionConfig


@dataclass(frozen=True, kw_only=True)
class NetworkConfig(Strict):
    """What one network has of its own; None for what the model says.

    block: all its blocks. blocks: single ones by their place in the stack, from 0.
    layers, width, heads, expansion: as in `Size`. The width is that of the states that it updates, too: what they read
        of other levels is projected. The level that the answer is read from has the model's own width.
    injection, retention: of the rows that it updates.
    """

    block: BlockConfig | None = None
    blocks: dict[int, BlockConfig] = field(default_factory=dict)
    layers: int | None = None
    width: int | None = None
    heads: int | None = None
    expansion: float | None = None
    injection: InjectionConfig | None = None
    retention: RetentionConfig | None = None

    def __post_init__(self) -> None:
        for name in ("layers", "width", "heads", "expansion"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ConfigError(f"a network's {name}={value} came; wanted more than 0, or none for the model's")


@dataclass(frozen=True)
class Stack:
    """A network in full: the block that it is named for (which also ends it), every block, and their size."""

    block: BlockConfig
    blocks: tuple[BlockConfig, ...]
    size: Size


def stack(name: str, block: BlockConfig, size: Size, networks: Mapping[str, NetworkConfig]) -> Stack:
    """The blocks of a network.

    Args:
        block, size: the model's.

    Raises:
        ConfigError: a block for a place that the network does not have.
    """
    own = networks.get(name, NetworkConfig())
    size = replace(
        size,
        layers=own.layers or size.layers,  # never 0
        width=own.width or size.width,
        heads=own.heads or size.heads,
        expansion=own.expansion or size.expansion,
    )
    if beyond := sorted(set(own.blocks) - set(range(size.layers))):
        raise ConfigError(
            f"network '{name}' has no block {beyond[0]}: it has {size.layers}, counted from 0; "
            f"set {name}.layers={beyond[0] + 1} first"
        )
    block = own.block or block
    return Stack(block, tuple(own.blocks.get(at, block) for at in range(size.layers)), size)


def level_widths(schedule: Schedule, widths: Mapping[str, int]) -> dict[str, int]:
    """The width of each level's state: that of the network that updates it.

    Args:
        widths: by network.

    Raises:
        ConfigError: networks of different widths update one level.
    """
    found: dict[str, int] = {}
    for update in schedule.updates:
        width = widths[update.network]
        if found.setdefault(update.target, width) != width:
            raise ConfigError(
                f"networks of widths {found[update.target]} and {width} update level '{update.target}'; "
                f"set {update.network}.width={found[update.target]}"
            )
    return found
