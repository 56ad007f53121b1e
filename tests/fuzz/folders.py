"""A sound folder in which a file or two are damaged or gone, and are put back after the case."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fuzz.damage import altered, damaged, json_files, plain
from hypothesis import strategies as st

Files = dict[str, bytes]
Changes = dict[str, bytes | None]


def files_in(folder: Path) -> Files:
    """The files below a folder by their paths in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def any_file(name: str, source: bytes) -> st.SearchStrategy[bytes]:
    """What may stand in place of a sound file, by the ending of its name."""
    if name.endswith(".json"):
        return json_files(json.loads(source))
    if name.endswith(".jsonl"):
        return json_lines(source)
    return safetensors(source) if name.endswith(".safetensors") else damaged(source)


def json_lines(source: bytes) -> st.SearchStrategy[bytes]:
    """Lines of JSON, of which some say something else, or none that is JSON."""
    lines = [json.loads(line) for line in source.splitlines()]
    changed = st.lists(altered(*lines).map(plain) | st.sampled_from(lines).map(plain), min_size=1, max_size=len(lines))
    return changed.map(b"\n".join) | damaged(source)


@st.composite
def safetensors(draw: st.DrawFn, source: bytes) -> bytes:
    """A file of tensors with other bytes, or with a head that says other things of them."""
    end = 8 + int.from_bytes(source[:8], "little")
    if draw(st.booleans()):
        return draw(damaged(source))
    head = draw(json_files(json.loads(source[8:end])))
    return len(head).to_bytes(8, "little") + head + source[end:]


@st.composite
def changes(
    draw: st.DrawFn, sound: Files, ways: Callable[[str, bytes], st.SearchStrategy[bytes]] = any_file
) -> Changes:
    """One or two files of the folder, damaged or, in one case of ten, gone."""
    changed: Changes = {}
    for name in draw(st.lists(st.sampled_from(sorted(sound)), min_size=1, max_size=2, unique=True)):
        changed[name] = None if draw(st.integers(0, 9)) == 0 else draw(ways(name, sound[name]))
    return changed


@contextmanager
def changed(folder: Path, sound: Files, different: Changes) -> Iterator[None]:
    for name, content in different.items():
        (folder / name).write_bytes(content) if content is not None else (folder / name).unlink()
    try:
        yield
    finally:
        for name in different:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(sound[name])
