"""Writes src/hrmlab/cli/words.json, what the shell completes without torch; a test keeps it current.

python tools/words.py

names: by kind, every part, preset, study and model with its summary (`hrm catalog`). keys: of configurations, with the
values that can be listed, and the presets that have them (all, where none is named). settings: the same of each task.
"""

import json
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union

from hrmlab.api.catalogue import catalog
from hrmlab.presets import PRESETS
from hrmlab.registry import Part
from hrmlab.tasks import TASKS

FILE = Path(__file__).parent.parent / "src/hrmlab/cli/words.json"


def words() -> dict[str, Any]:
    names: dict[str, dict[str, str]] = {}
    for item in catalog().items:
        names.setdefault(item.kind, {})[item.name] = item.summary
    found: dict[str, dict[str, Any]] = {}
    for preset in PRESETS.values():
        for key, values in keys(preset.make()):
            entry = found.setdefault(key, {"values": [], "presets": []})
            entry["presets"].append(preset.name)
            entry["values"] = sorted({*entry["values"], *values})
    for entry in found.values():
        if len(entry["presets"]) == len(PRESETS):
            del entry["presets"]
    settings = {entry.name: dict(keys(entry.config())) for entry in TASKS}
    return {"names": names, "keys": dict(sorted(found.items())), "settings": settings}


def keys(config: Any, above: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every dotted key below a configuration, and its values where they can be listed."""
    hints = typing.get_type_hints(type(config))
    for field in fields(config):
        if field.name == "kind":
            continue  # `model.block=NAME` says the same
        value = getattr(config, field.name)
        choices = sorted(set(listed(hints[field.name])))
        if choices or not is_dataclass(value):
            yield above + field.name, choices
        if is_dataclass(value):
            yield from keys(value, f"{above}{field.name}.")


def listed(hint: Any) -> Iterator[str]:
    """The values that a type allows, if they can be listed."""
    origin = typing.get_origin(hint)
    if hint is bool:
        yield from ("true", "false")
    elif hint is type(None):
        yield "none"
    elif origin is Literal:
        yield from map(str, typing.get_args(hint))
    elif origin in (Union, types.UnionType):
        for one in typing.get_args(hint):
            yield from listed(one)
    elif isinstance(hint, type) and issubclass(hint, Part) and "registry" in hint.__dict__:
        yield from hint.registry.names()


def text() -> str:
    """One line for each name and key."""
    parts = []
    for part, entries in words().items():
        lines = ",\n  ".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in entries.items())
        parts.append(f'"{part}": {{\n  {lines}\n }}')
    return "{\n " + ",\n ".join(parts) + "\n}\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
