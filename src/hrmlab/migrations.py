"""What configurations of earlier versions said otherwise: numbered, never taken out, and told when they are applied.

Each is a function from plain data to plain data, run before a part of a configuration is read; it leaves what is of
today as it is. What is written is always of today.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LOG = logging.getLogger(__name__)
Data = dict[str, Any]


@dataclass(frozen=True)
class Migration:
    """One change of the format. part: of the configuration that it is about. change: today's data of old data, None
    where there is nothing old in it."""

    number: int
    part: str
    what: str
    change: Callable[[Data], Data | None]


def _engines(training: Data) -> Data | None:
    if "compile" not in training or "engine" in training:
        return None
    rest = {name: value for name, value in training.items() if name != "compile"}
    known = {True: "compiled", False: "eager", "auto": "auto"}
    return rest | {"engine": known.get(training["compile"], training["compile"])}


def _networks(model: Data) -> Data | None:
    size = model.get("size")
    if not isinstance(size, dict) or "network_layers" not in size:
        return None
    rest = {name: value for name, value in size.items() if name != "network_layers"}
    networks = {name: {"layers": layers} for name, layers in size["network_layers"].items()}
    return {**model, "size": rest, "networks": networks | model.get("networks", {})}


MIGRATIONS = (
    Migration(1, "training", "`compile` is `engine`", _engines),
    Migration(2, "model", "`size.network_layers` is `networks.NAME.layers`", _networks),
)


def of_today(part: str, data: Any) -> Any:
    """A part's data with every migration that applies; anything that is no dictionary as it is."""
    for migration in MIGRATIONS:
        if migration.part == part and isinstance(data, dict) and (changed := migration.change(data)) is not None:
            LOG.info("a configuration of an earlier version (migration %d): %s", migration.number, migration.what)
            data = changed
    return data
