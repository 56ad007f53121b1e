"""A change of a fork as a unified diff, made from text that is found exactly once; the fork itself is not touched."""

import ast
import difflib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hrmlab.errors import ConfigError, DataError
from hrmlab.reading import read_json
from hrmlab.reports.files import write_texts
from hrmlab.results.base import Result
from hrmlab.results.specialist import Gate
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.sandbox import Limits, launch

LARGEST = 2**20
"""Bytes of a file that is edited or copied."""
LEFT_OUT = {".git", ".venv", "__pycache__", "node_modules", "wandb", "checkpoints", "data"}
DIFF = "change.diff"
FORM = '[{"file": "...", "search": "...", "replace": "..."}, ...]'


@dataclass(frozen=True)
class Edit:
    """file: below the fork. search: text that it holds exactly once. replace: what comes in its place."""

    file: str
    search: str
    replace: str


@dataclass(frozen=True)
class Patched(Result):
    """diff: what `git apply` takes. gates: `edits`, and with a test `before` and `after` it. apply: what to type."""

    fork: str
    files: list[str]
    diff: str
    gates: list[Gate]
    path: str
    apply: str

    @property
    def passed(self) -> bool:
        """No gate failed."""
        return all(gate.passed is not False for gate in self.gates)


def patch(
    fork: str | Path,
    edits: Sequence[Edit],
    *,
    because: str = "",
    predict: str = "",
    test: str | None = None,
    unconfined: bool = False,
    seconds: float = 600.0,
    out: str | Path,
) -> Patched:
    """Make a diff of a fork, and run a script of it before and after in the sandbox.

    Args:
        fork: the folder.
        edits: in order; several may be of one file.
        because, predict: why, and what will be seen; on record before anything is run.
        test: a Python script of the fork that ends with 0 where all is well, e.g. `tests/test_model.py`.
        unconfined: run it even where this system cannot confine it.
        seconds: that the script may take.
        out: a folder to make.

    Raises:
        ConfigError: text that is not there, or more than once; a file outside; what is no Python any more.
        DataError: files that cannot be read or written.
    """
    root, folder = Path(fork).resolve(), Path(out)
    if not root.is_dir():
        raise DataError(f"{fork} is no folder; wanted a checkout of a fork")
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty; choose another --out")
    before, after = _edited(root, edits)
    diff = "".join(_diff(name, before[name], after[name]) for name in after)
    ledger = Ledger(folder / NAME)
    registered = {"files": sorted(after), "prediction": predict, "because": because, "test": test}
    record = ledger.append("predict", {"fork": str(fork)}, registered)
    gates = [Gate("edits", True, f"Each text was found once; `{', '.join(after)}` are still Python.", [record.id])]
    if test is not None:
        limits = Limits(seconds=seconds, unconfined=unconfined)
        for when, changed in (("before", {}), ("after", after)):
            gates.append(_tried(root, test, when, changed, limits, ledger))
    write_texts(folder, {DIFF: diff})
    path = folder / DIFF
    return Patched(str(fork), sorted(after), diff, gates, str(path), f"git -C {fork} apply {path.resolve()}")


def edits_of(file: str | Path) -> list[Edit]:
    """Edits from JSON: `[{"file": ..., "search": ..., "replace": ...}, ...]`.

    Raises:
        DataError: the file is no such list.
    """
    try:
        found = [Edit(**entry) for entry in read_json(Path(file))]
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}; wanted a file with {FORM}") from None
    except (ValueError, TypeError):
        raise DataError(f"{file} is no list of edits; wanted {FORM}") from None
    if not found or not all(isinstance(part, str) for edit in found for part in vars(edit).values()):
        raise DataError(f"{file} holds no edits; wanted {FORM}")
    return found


def _edited(root: Path, edits: Sequence[Edit]) -> tuple[dict[str, str], dict[str, str]]:
    """By file, its text before and after."""
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    for edit in edits:
        text = after[edit.file] if edit.file in after else _text(root, edit.file)
        before.setdefault(edit.file, text)
        count = text.count(edit.search) if edit.search else 0
        if count != 1:
            raise ConfigError(
                f"{edit.file}: the text to replace is there {count} times; wanted exactly once, with more of what is "
                f"around it: {edit.search[:80]!r}"
            )
        after[edit.file] = text.replace(edit.search, edit.replace)
    for name, text in after.items():
        if text == before[name]:
            raise ConfigError(f"{name}: nothing changes; wanted another text in place of the one found")
        _parsed(name, before[name], text)
    return before, after


def _text(root: Path, name: str) -> str:
    place = (root / name.replace("\0", "?")).resolve()
    if root not in place.parents:
        raise ConfigError(f"{name} is outside {root}; edits name files below the fork")
    if name != (plain := os.path.normpath(name)):  # which diffs do not know, and which would be the same file twice
        raise ConfigError(f"{name} came as the name of a file; wanted the shortest that it has, {plain}")
    try:
        if place.stat().st_size > LARGEST:
            raise ConfigError(f"{name} has more than {LARGEST} bytes")
        return place.read_bytes().decode("utf-8")
    except OSError as error:
        raise DataError(f"{name} cannot be read below {root}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(f"{name} below {root} is not UTF-8 text; only text can be edited") from None


def _parsed(name: str, before: str, after: str) -> None:
    if not name.endswith(".py"):
        return
    for which, text in (("is", before), ("would be", after)):
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ConfigError(f"{name} {which} no Python: {error}") from None


def _diff(name: str, before: str, after: str) -> str:
    """Lines as `git apply` wants them, the missing last line end said."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _tried(root: Path, test: str, when: str, changed: dict[str, str], limits: Limits, ledger: Ledger) -> Gate:
    """The script on a copy of the fork. Before, it may fail: the change may be what mends it."""
    _text(root, test)
    with TemporaryDirectory() as place:
        copy = Path(place)
        shutil.copytree(root, copy, dirs_exist_ok=True, symlinks=True, ignore=_heavy)
        for name, text in changed.items():
            (copy / name).write_bytes(text.encode("utf-8"))
        ended = launch("hrmlab.specialist.sandbox.trial", [test], copy, limits)
    values: dict[str, Any] = {"code": ended.code, "why": ended.why, "cpu_seconds": ended.cpu, "said": ended.said}
    record = ledger.append("test", {"script": test, "when": when}, values)
    words = f"`{test}` ends well." if ended.why is None else f"`{test}`: `{ended.why.replace('`', '')}`."
    passed = ended.why is None
    return Gate(when, passed if when == "after" or passed else None, words, [record.id])


def _heavy(folder: str, names: list[str]) -> set[str]:
    """What a test of code does not need."""
    places = {name: Path(folder) / name for name in names}
    large = {name for name, at in places.items() if at.is_file() and at.stat().st_size > LARGEST}
    return large | (LEFT_OUT & set(names))
