"""Sound input made bad: bytes that are changed, cut and repeated, JSON whose values are others, and plain noise."""

import copy
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

DEEP = 3000
"""Levels of nesting: more than Python's own readers go down."""
TOKENS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[2J", b"\r", b"\n", b"\n\n", b'"', b"'", b",", b":", b"/", b"..", b"=",
    b"\\ud800", b"\\u0000", b"\\x00", "\u202e".encode(), "\u2028".encode(), "\u0660".encode(), "\U0001f9e9".encode(),
    b"NaN", b"-Infinity", b"1e999", b"-1", b"0", b"1.5", b"null", b"true", b"9" * 5000, b"9" * 25, b"{}", b"[]",
    b"[" * DEEP, b'{"a":' * DEEP, b"(" * DEEP, b"${oc.env:HOME}", b"!!python/object/apply:os.system [id]", b"&a [*a]",
    b"../../", b"%s%n", b"A" * 3000,
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 255, 256, 2**31, 2**63, 2**64, -(2**63) - 1, 10**30, 10**400, 0.0, -0.5, 0.5,
    1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"), "", " ", "a", "none", "nan", "\x00", "\x1b[2J",
    "\n", "\ud800", "\u202e", "../../x", "/etc/passwd", "~", ".", "~root/x", "a/b", "x" * 300, "x" * 5000,
    "${oc.env:HOME}",
    [], [[]], [None], ["a"], [1, 2], {}, {"kind": "x"}, {"kind": None}, {"": 0}, {"a": {"a": {}}}, [0] * 300,
)  # fmt: skip


@cache
def odd() -> st.SearchStrategy[Any]:
    """A JSON value that nobody expects, or any one."""
    leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    return st.sampled_from(ODD) | st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


# Strategies are made once: to make and look them over takes longer than to draw from them.
_DIGIT, _NOISE, _BIT, _BYTE, _TOKEN = (
    st.integers(0, 9), st.binary(max_size=200), st.integers(0, 7), st.integers(0, 255), st.sampled_from(TOKENS),
)  # fmt: skip
_WAY = st.sampled_from(("flip", "set", "cut", "drop", "repeat", "put", "replace"))
_CHANGE = st.sampled_from(("replace", "replace", "replace", "drop", "name", "swap"))
_DEEPER, _SHORT = st.integers(0, 4), st.text(max_size=5)


@st.composite
def damaged(draw: st.DrawFn, *sources: bytes, edits: int = 4) -> bytes:
    """One of some sound files with up to `edits` places changed; one in ten is noise alone."""
    return _damaged(draw, sources, edits)


def _damaged(draw: st.DrawFn, sources: Sequence[bytes], edits: int) -> bytes:
    if draw(_DIGIT) == 9:
        return draw(_NOISE)
    data = sources[draw(st.integers(0, len(sources) - 1))]
    for _ in range(draw(st.integers(0, edits))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        way = draw(_WAY)
        if way == "flip" and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << draw(_BIT)]) + data[at + 1 :]
        elif way == "set" and at < len(data):
            data = data[:at] + bytes([draw(_BYTE)]) + data[at + 1 :]
        elif way == "cut":
            data = data[:at]
        elif way == "drop":
            data = data[:at] + data[end:]
        elif way == "repeat" and end - at < 10_000:
            data = data[:end] + data[at:end] + data[end:]
        elif way == "put":
            data = data[:at] + draw(_TOKEN) + data[at:]
        elif way == "replace":
            data = data[:at] + draw(_TOKEN) + data[min(end, at + 8) :]
    return data


def damaged_text(*sources: str, edits: int = 4) -> st.SearchStrategy[str]:
    """Words of somebody: changed like bytes, or any text."""
    changed = damaged(*(source.encode() for source in sources), edits=edits)
    return changed.map(lambda data: data.decode("utf-8", "replace")) | st.text(max_size=60)


@st.composite
def altered(draw: st.DrawFn, *sources: Any, edits: int = 3, values: st.SearchStrategy[Any] | None = None) -> Any:
    """One of some sound JSON documents with up to `edits` values replaced, left out or given to other keys.

    values: what they are replaced by, `odd()` unless said.
    """
    return _altered(draw, sources, edits, odd() if values is None else values)


def _altered(draw: st.DrawFn, sources: Sequence[Any], edits: int, values: st.SearchStrategy[Any]) -> Any:
    document = {"": copy.deepcopy(sources[draw(st.integers(0, len(sources) - 1))])}
    for _ in range(draw(st.integers(1, edits))):
        inner, key = _place(draw, document)
        way = draw(_CHANGE)
        if way == "replace" or inner is document:
            inner[key] = copy.deepcopy(draw(values))
        elif way == "drop":
            del inner[key]
        elif way == "name" and isinstance(inner, dict):
            names = ("kind", "x\x1b[2J", "\ud800", "", *inner, draw(_SHORT))
            inner[names[draw(st.integers(0, len(names) - 1))]] = inner[key]
        elif way == "swap":
            other, name = _place(draw, document)
            inner[key] = copy.deepcopy(other[name])
    return document[""]


def _place(draw: st.DrawFn, document: dict[str, Any]) -> tuple[Any, Any]:
    """A container in a document and one of its keys, any depth."""
    inner: Any = document
    key: Any = ""
    while isinstance(inner[key], dict | list) and inner[key] and draw(_DEEPER):
        inner = inner[key]
        at = draw(st.integers(0, len(inner) - 1))
        key = sorted(inner)[at] if isinstance(inner, dict) else at
    return inner, key


def plain(document: Any) -> bytes:
    """As somebody's program writes it, NaN and halves of characters included."""
    return json.dumps(document).encode()


def json_files(*sources: Any) -> st.SearchStrategy[bytes]:
    """JSON files: other values, broken signs, or both."""
    return altered(*sources).map(plain) | damaged(*map(plain, sources)) | _broken(sources)


@st.composite
def _broken(draw: st.DrawFn, sources: Sequence[Any]) -> bytes:
    return _damaged(draw, (plain(_altered(draw, sources, 3, odd())),), 1)
