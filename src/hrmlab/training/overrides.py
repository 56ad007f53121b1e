"""Overrides of a run, those of single networks among them.

    high.layers=6 high.blocks[2].attention=relational low.heads=4

A key that begins with a network's name is of `model.networks`; what is not said there yet begins as it is in the model.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

from hrmlab.blocks.base import BlockConfig
from hrmlab.config import override
from hrmlab.core.networks import NetworkConfig
from hrmlab.errors import ConfigError, unknown
from hrmlab.registry import Strict
from hrmlab.training.config import RunConfig

PREFIX = "model.networks."
_FIELDS = tuple(field.name for field in fields(RunConfig))
_BLOCK = re.compile(r"(?:blocks\[([0-9]{1,6})\]|blocks\.([0-9]{1,6}))(.*)")


@dataclass(frozen=True)
class _Holder(Strict):
    """A block on its own, so that its keys can be set."""

    block: BlockConfig


def override_run(config: RunConfig, assignments: Sequence[str]) -> RunConfig:
    """A copy with `dotted.key=value` assignments applied in order.

    Raises:
        ConfigError: as `config.override`; or no such network, or no such block in it.
    """
    pending: list[str] = []
    for assignment in assignments:
        key, _, value = assignment.partition("=")
        name, path = _address(key.strip())
        told = key.strip().startswith(PREFIX)
        if path and (told or name not in _FIELDS):
            config, pending = override(config, pending), []
            if told or name in _names(config):
                config = _changed(config, name, path, value)
                continue
        pending.append(assignment)
    return override(config, pending)


def _address(key: str) -> tuple[str, str]:
    name, _, path = key.removeprefix(PREFIX).partition(".")
    return name, path


def _names(config: RunConfig) -> tuple[str, ...]:
    return config.model.schedule.build().networks


def _changed(config: RunConfig, name: str, path: str, value: str) -> RunConfig:
    model = config.model
    if name not in _names(config):
        raise ConfigError(f"{PREFIX}{name}: {unknown('network', name, _names(config))}")
    own = model.networks.get(name, NetworkConfig())
    if single := _BLOCK.fullmatch(path):
        at, rest = int(single[1] or single[2]), single[3]
        start = own.blocks.get(at) or own.block or model.block
        own = replace(own, blocks={**own.blocks, at: _block(start, f"block{rest}", value)})
    elif path.partition(".")[0] in ("block", "attention"):
        inside = path if path.startswith("block") else f"block.{path}"
        own = replace(own, block=_block(own.block or model.block, inside, value))
    else:
        own = override(own, [f"{path}={value}"])
    model = replace(model, networks={**model.networks, name: own})
    model.stack(name)
    return replace(config, model=model)


def _block(block: BlockConfig, path: str, value: str) -> BlockConfig:
    return override(_Holder(block), [f"{path}={value}"]).block
