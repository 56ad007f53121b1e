"""Text that others wrote, mostly JSON: taken as data or refused in words."""

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

LONGEST_NAME = 200
"""Bytes; systems end at 255, and dates and endings are added."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of half a character, of which JSON may hold one without the other."""


def kind(value: Any) -> str:
    """What a value is, in JSON's words."""
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "null")
    names = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names[type(value)]


def is_name(text: str) -> bool:
    """Whether a text of others is the name of one file or folder, and leads nowhere else."""
    plain = bool(text) and text == Path(text).name and text != ".." and text.isprintable()
    return plain and len(text.encode()) <= LONGEST_NAME


def whole(text: str) -> int | None:
    """The number that a text of digits says, None for any other text and for more digits than anything counts."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def exists(path: Path) -> bool:
    """Whether something is there; by a name that no file can have, nothing is."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def read_json(file: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: as `parsed`.
    """
    return parsed(_bytes(file))


def read_lines(file: Path) -> Iterator[Any]:
    """What the lines of a file of JSON hold; those that say nothing, as of a crash, are passed over.

    Raises:
        OSError: it cannot be read.
    """
    for line in _bytes(file).split(b"\n"):
        with suppress(ValueError):
            yield parsed(line)


def read_text(file: Path) -> str:
    """What a text file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: it is not UTF-8, and where.
    """
    return _decoded(_bytes(file))


def parsed(text: str | bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError: it says nothing that can be used, and why: no JSON, not UTF-8, too deep, a number too long.
    """
    whole = _decoded(text) if isinstance(text, bytes) else text
    try:
        data = json.loads(whole)
        if _HALF.search(whole):
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"character {error.pos + 1}"
        raise ValueError(f"{error.msg} at {line}") from None
    except UnicodeEncodeError:
        raise ValueError("it has half a character, a surrogate without its other half") from None
    except RecursionError:
        raise ValueError("it is nested deeper than can be read") from None
    except ValueError:
        raise ValueError("a whole number in it has too many digits") from None
    return data


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except ValueError:  # a name that no file can have
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file)) from None


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        byte, line = data[error.start], data[: error.start].count(b"\n") + 1
        raise ValueError(f"byte 0x{byte:02x} at position {error.start} (line {line}) is not UTF-8") from None
