"""Settings of others that an entry of ours is added to; everything else stays as it was."""

import json
import tomllib
from pathlib import Path
from typing import Any

from hrmlab.errors import DataError
from hrmlab.reading import read_json, read_text


def object_of(file: Path) -> dict[str, Any]:
    """A JSON file's object; empty where there is no file.

    Raises:
        DataError: it holds something else.
    """
    data: Any = {}
    if file.is_file():
        try:
            data = read_json(file)
        except ValueError as error:
            raise DataError(f"{file} is no JSON ({error}); mend it, then install again") from None
    if not isinstance(data, dict):
        raise DataError(f"{file} holds no object; mend it, then install again")
    return data


def with_entry(file: Path, key: str, name: str, entry: dict[str, Any]) -> str:
    """A JSON file with our entry by its name below a key.

    Raises:
        DataError: there is no object to put it in.
    """
    data = object_of(file)
    if not isinstance(data.setdefault(key, {}), dict):
        raise DataError(f"{file} holds no object with '{key}'; mend it, then install again")
    data[key][name] = entry
    return written(data)


def with_listed(file: Path, start: dict[str, Any], key: str, entry: dict[str, Any]) -> str:
    """A JSON file with our entry in a list below a key, in place of one of its name. start: what a new file holds.

    Raises:
        DataError: there is no list to put it in.
    """
    data = object_of(file) or dict(start)
    if not isinstance(others := data.get(key, []), list):
        raise DataError(f"{file} holds no list at '{key}'; mend it, then install again")
    theirs = [other for other in others if not (isinstance(other, dict) and other.get("name") == entry["name"])]
    return written({**data, key: [*theirs, entry]})


def with_table(file: Path, table: str, name: str, values: dict[str, Any]) -> str:
    """A TOML file with our table at its end; one that is there already stays.

    Raises:
        DataError: it is no TOML, or has something else by the table's name.
    """
    try:
        text = read_text(file) if file.is_file() else ""
        known = tomllib.loads(text)
    except RecursionError:
        raise DataError(f"{file} is nested deeper than can be read; mend it, then install again") from None
    except ValueError as error:
        raise DataError(f"{file} is no TOML ({error}); mend it, then install again") from None
    there = known.get(table, {})
    if isinstance(there, dict) and name in there:
        return text
    gap = "\n" if text and not text.endswith("\n\n") else ""
    added = f"{text}{gap}[{table}.{name}]\n{toml(values)}"
    try:
        tomllib.loads(added)
    except ValueError:  # a table that is closed, or none
        raise DataError(f"{file} has a '{table}' that takes no more tables; mend it, then install again") from None
    return added


def toml(values: dict[str, Any]) -> str:
    """Lines of TOML: strings, numbers and lists of them, whose JSON is TOML."""
    return "".join(f"{name} = {json.dumps(value, ensure_ascii=False)}\n" for name, value in values.items())


def written(data: dict[str, Any]) -> str:
    """JSON as files hold it."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
