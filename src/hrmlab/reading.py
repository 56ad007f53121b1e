"""JSON that others wrote, taken as data or refused in words."""

import errno
import json
import os
import re
from pathlib import Path
from typing import Any

_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""The escape of half a character, of which JSON may hold one without the other."""


def kind(value: Any) -> str:
    """What a value is, in JSON's words."""
    if isinstance(value, bool) or value is None:
        return str(value).lower().replace("none", "null")
    names = {dict: "an object", list: "a list", str: "a text", int: "a number", float: "a number"}
    return names[type(value)]


def read_json(file: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: it cannot be read.
        ValueError: as `parsed`.
    """
    try:
        data = file.read_bytes()
    except ValueError:  # a name that no file can have
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(file)) from None
    return parsed(data)


def parsed(text: str | bytes) -> Any:
    """What JSON says.

    Raises:
        ValueError: it says nothing that can be used, and why: no JSON, not UTF-8, too deep, a number too long.
    """
    try:
        whole = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        data = json.loads(whole)
        if _HALF.search(whole):
            json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"character {error.pos + 1}"
        raise ValueError(f"{error.msg} at {line}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"byte 0x{error.object[error.start]:02x} at position {error.start} is not UTF-8") from None
    except UnicodeEncodeError:
        raise ValueError("it has half a character, a surrogate without its other half") from None
    except RecursionError:
        raise ValueError("it is nested deeper than can be read") from None
    except ValueError:
        raise ValueError("a whole number in it has too many digits") from None
    return data
