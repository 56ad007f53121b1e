"""What a data set says about itself: its task, seed and protocol, or the best guess where it says nothing."""

from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import Any, Literal

from hrmlab.config import decode
from hrmlab.errors import ConfigError, DataError
from hrmlab.registry import Strict
from hrmlab.tasks.base import Task
from hrmlab.tasks.layout import OURS, SPLITS, TEST_PUZZLES, load_json, load_metadata

FORMAT = 1


@dataclass(frozen=True)
class Stored(Strict):
    """What `hrmlab.json` says about a data set.

    format: version of this file.
    task: configuration of the task, as `hrmlab.config.encode` gives it.
    seed: the seed the examples were made with, or None where it is not known.
    protocol: in words, where the examples come from and how train and test are kept apart.
    ratings: name of the file in each split with the difficulty of each example, or None.
    """

    task: dict[str, Any]
    seed: int | None
    protocol: str
    ratings: str | None = None
    format: Literal[1] = field(default=1)


def task_of(path: Path) -> Task:
    """The task that a data set was made with; for a reference folder, the task that its sizes suggest.

    Raises:
        DataError: no data set there, or `hrmlab.json` cannot be understood.
    """
    try:
        return decode(Task, stored(path).task, f"the task of {path}")  # type: ignore[type-abstract]
    except ConfigError as error:
        raise DataError(str(error)) from None


def stored(path: Path) -> Stored:
    """What is known about a data set. Where a guess stands in for `hrmlab.json`, the protocol says so.

    Raises:
        DataError: no data set there, or `hrmlab.json` cannot be understood.
    """
    path = Path(path)
    expect_folder(path)
    file = path / OURS
    if not file.exists():
        return _guess(path)
    data = load_json(file)
    if isinstance(data, dict) and data.get("format") != FORMAT:
        raise DataError(f"{file} has format {data.get('format')!r}, this version reads {FORMAT}; upgrade hrm-lab")
    try:
        return decode(Stored, data, str(file))
    except ConfigError as error:
        raise DataError(str(error)) from None


def _guess(path: Path) -> Stored:
    present = next((path / name for name in SPLITS if (path / name / "dataset.json").exists()), path / SPLITS[0])
    metadata = load_metadata(present)
    vocab, length, count = metadata.vocab_size, metadata.seq_len, metadata.num_puzzle_identifiers
    side = isqrt(length)
    task: dict[str, Any]
    if (vocab, length, count) == (11, 81, 1):
        task = {"kind": "sudoku"}
    elif vocab == 6 and side * side == length and count == 1:
        task = {"kind": "maze", "size": [side, side]}
    elif (vocab, length) == (12, 900) and (path / TEST_PUZZLES).exists():
        task = {"kind": "arc", "identifiers": count}
    else:
        symbols = " ".join(str(token) for token in range(1, vocab))
        task = {"kind": "table", "separator": " ", "vocabulary": symbols, "length": length, "identifiers": count}
    sizes = f"vocab_size {vocab}, seq_len {length}, num_puzzle_identifiers {count}"
    return Stored(task, None, f"reference data set without {OURS}; task '{task['kind']}' guessed from {sizes}")


def expect_folder(path: Path) -> None:
    """That there is a folder.

    Raises:
        DataError: there is none.
    """
    if not path.is_dir():
        raise DataError(f"no data set at {path}: wanted a folder with train/ and test/; make one with `hrm data build`")
