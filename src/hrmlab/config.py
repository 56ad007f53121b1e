"""The strict edge between text and configuration dataclasses.

Inside the library a configuration is a frozen dataclass. Only here does it meet JSON or the command line: unknown keys
and kinds are errors that name the path, the nearest match and what exists.
"""

import dataclasses
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError, core_schema

from hrmlab.errors import ConfigError, unknown
from hrmlab.reading import parsed, read_json
from hrmlab.registry import Part, Registry

T = TypeVar("T")


def union_of_parts(registry: Registry, handler: Any) -> core_schema.CoreSchema:
    """Schema of a field that takes any part of a registry, as it stands at this moment."""
    choices = {entry.name: handler.generate_schema(entry.config) for entry in registry}

    def open_up(value: Any) -> Any:
        if "none" in choices:  # "none" typed on the command line reads as null
            value = "none" if value is None else value
            if isinstance(value, dict) and value.get("kind", "") is None:
                value = {**value, "kind": "none"}
        if isinstance(value, str):
            value = {"kind": value}
        if isinstance(value, dict):
            kind = value.get("kind")
            if not isinstance(kind, str):
                raise PydanticCustomError("kind", f"needs a 'kind', one of: {', '.join(choices)}")
            if kind not in choices:
                raise PydanticCustomError("kind", unknown(registry.family, kind, choices))
        return value

    union = core_schema.tagged_union_schema(choices, discriminator="kind", from_attributes=True)
    return core_schema.no_info_before_validator_function(open_up, union)


def decode(cls: type[T], data: Any, what: str = "configuration") -> T:
    """Build a configuration dataclass from plain JSON-like data.

    Args:
        cls: the dataclass, or a family of parts.
        data: dictionaries, lists, numbers and strings.
        what: how to name the data in an error.

    Raises:
        ConfigError: every problem found, with its dotted path.
    """
    wanted: Any = cls
    try:
        found: T = _adapter(wanted, Registry.registered).validate_python(data)
    except ValidationError as error:
        problems = "; ".join(_explain(cls, data, problem) for problem in error.errors())
        raise ConfigError(f"{what}: {problems}") from None
    return found


@lru_cache(maxsize=64)
def _adapter(cls: Any, registered: int) -> TypeAdapter[Any]:
    """Made once for as long as no part is registered: of a whole run it takes some tens of milliseconds."""
    return TypeAdapter(cls)


def encode(config: Any) -> Any:
    """Plain JSON-like data of a configuration: `decode(type(config), encode(config)) == config`."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {f.name: encode(getattr(config, f.name)) for f in dataclasses.fields(config)}
    if isinstance(config, dict):
        return {key: encode(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [encode(value) for value in config]
    return config


def json_schema(cls: type) -> dict[str, Any]:
    """JSON Schema of a configuration, for editors and other programs."""
    return _adapter(cls, Registry.registered).json_schema()


def load_json(path: Path, cls: type[T]) -> T:
    """Decode a configuration file.

    Raises:
        ConfigError: the file is missing, is not JSON, or does not fit.
    """
    try:
        data = read_json(path)
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from None
    except ValueError as error:
        raise ConfigError(f"{path} is not JSON: {error}") from None
    return decode(cls, data, str(path))


def override(config: T, assignments: Sequence[str]) -> T:
    """A copy of `config` with `dotted.key=value` assignments applied.

    A value is read as JSON where it parses, else as text. Assigning a part by name (`model.block=post_norm`) starts
    from that part's defaults; assigning one of its keys keeps the rest.

    Raises:
        ConfigError: an assignment without `=`, an unknown key or kind, or a value of the wrong type.
    """
    data = encode(config)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key:
            raise ConfigError(
                f"'{assignment}' is not an override; wanted dotted.key=value, e.g. training.batch_size=64"
            )
        _assign(data, key.strip(), literal(text))
    return decode(type(config), data, "overrides")


def literal(text: str) -> Any:
    """A value as typed: JSON where it parses, else text.

    Raises:
        ConfigError: bytes that are no text.
    """
    try:
        text.encode()
        return parsed(text)
    except UnicodeEncodeError:
        raise ConfigError(f"the value '{text}' is no text; wanted one in UTF-8") from None
    except ValueError:
        return {"none": None, "None": None, "True": True, "False": False}.get(text, text)


def _assign(data: dict[str, Any], key: str, value: Any) -> None:
    *path, last = key.split(".")
    node: Any = data
    for depth, name in enumerate(path):
        if not isinstance(node, dict) or name not in node:
            raise ConfigError(_no_key(node, name, ".".join(path[:depth])))
        if isinstance(node[name], str) or node[name] is None:
            node[name] = {"kind": node[name]} if node[name] else {}
        node = node[name]
    if not isinstance(node, dict):
        raise ConfigError(_no_key(node, last, ".".join(path)))
    if last == "kind" and node.get("kind") != value:
        node.clear()
    node[last] = value


def _no_key(node: Any, name: str, path: str) -> str:
    where = f" in '{path}'" if path else ""
    return unknown(f"key{where}", name, node if isinstance(node, dict) else ())


def _explain(cls: type, data: Any, problem: Any) -> str:
    """One validation problem in words, its path cleaned of the tags that unions add."""
    path: list[str] = []
    node = data
    for step in problem["loc"]:
        inside_dict = isinstance(node, dict) and step in node
        inside_list = isinstance(node, (list, tuple)) and isinstance(step, int) and step < len(node)
        if inside_dict or inside_list:
            node = node[step]
        elif isinstance(node, str) or (isinstance(node, dict) and node.get("kind") == step):
            continue  # the tag of a union, not a step of the path
        path.append(str(step))
    where = ".".join(path) or "the whole"
    if problem["type"] == "unexpected_keyword_argument":
        parent = _follow(cls, data, path[:-1])
        return unknown("key", path[-1], parent).replace(f"'{path[-1]}'", f"'{'.'.join(path)}'", 1)
    if problem["type"] == "kind":
        return f"{where}: {problem['msg']}"
    if problem["type"] == "missing":
        return f"{where} is missing"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])  # raised by the dataclass itself, which names the key
    came = json.dumps(problem["input"], default=str)[:80]
    return f"{where}={came}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _follow(cls: Any, data: Any, path: Sequence[str]) -> list[str]:
    """The field names of the configuration class that stands at a path of the data."""
    cls = _class_of(cls, data)
    for step in path:
        field = next((f for f in dataclasses.fields(cls) if f.name == step), None) if cls else None
        if field is None:
            return []
        data = data.get(step) if isinstance(data, dict) else None
        cls = _class_of(field.type, data)
    return [f.name for f in dataclasses.fields(cls)] if cls else []


def _class_of(annotation: Any, data: Any) -> Any:
    options = getattr(annotation, "__args__", (annotation,))
    for option in options:
        if isinstance(option, type) and issubclass(option, Part) and "registry" in option.__dict__:
            kind = data if isinstance(data, str) else data.get("kind") if isinstance(data, dict) else None
            return option.registry.get(kind).config if kind in option.registry.names() else None
        if dataclasses.is_dataclass(option):
            return option
    return None
