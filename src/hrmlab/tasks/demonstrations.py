"""A few examples of a puzzle that a model was not trained on, as a person has them in a file."""

from pathlib import Path

import numpy as np

from hrmlab.errors import DataError
from hrmlab.tasks.arc import Arc
from hrmlab.tasks.arc.grids import place
from hrmlab.tasks.arc.source import Pair, puzzle_of
from hrmlab.tasks.base import IGNORE, Examples, Task, Tokens
from hrmlab.tasks.layout import load_json
from hrmlab.tasks.rows import Cell, Fault, read_rows, refuse


def read_demonstrations(task: Task, path: Path) -> tuple[Examples, Examples | None]:
    """Demonstrations, and questions with known answers where the file has such.

    Args:
        path: for ARC a JSON file of the usual form; else CSV or JSON Lines with the columns input and output, written
            as the task's puzzles are typed.

    Raises:
        DataError: the file cannot be read, or what is wrong with its rows.
    """
    if path.suffix.lower() == ".json":
        if not isinstance(task, Arc):
            raise DataError(f"{path} is JSON, which task '{task.kind}' has no form for; wanted .csv or .jsonl")
        return _arc(path)
    return _table(task, path), None


def _arc(path: Path) -> tuple[Examples, Examples | None]:
    data = load_json(path)
    asked = data.get("test") if isinstance(data, dict) else None
    answered = (
        [pair for pair in asked if isinstance(pair, dict) and "output" in pair] if isinstance(asked, list) else []
    )
    if isinstance(data, dict):
        data = {**data, "test": answered or data.get("train", [])}
    puzzle = puzzle_of(path.stem, "", data, str(path))
    return _boards(puzzle.train), _boards(puzzle.test) if answered else None


def _boards(pairs: tuple[Pair, ...]) -> Examples:
    sides = [np.stack([place(pair[side][None])[0] for pair in pairs]).astype(np.int32) for side in (0, 1)]
    return _examples(*sides)


def _table(task: Task, path: Path) -> Examples:
    rows, faults = read_rows(path)
    sides: tuple[list[Tokens], list[Tokens]] = ([], [])
    for row in rows:
        for side, column, cell in zip(sides, ("input", "output"), (row.input, row.output), strict=True):
            try:
                side.append(task.parse(_text(task, cell)))
            except DataError as error:
                faults.append(Fault(row.file, row.line, column, str(error)))
    refuse(faults)
    return _examples(np.stack(sides[0]), np.stack(sides[1]))


def _text(task: Task, cell: Cell) -> str:
    return cell if isinstance(cell, str) else (getattr(task, "separator", None) or "").join(cell)


def _examples(inputs: Tokens, labels: Tokens) -> Examples:
    """Padding is not scored."""
    blank = np.zeros(len(inputs), np.int32)
    return Examples(inputs, np.where(labels == 0, IGNORE, labels), blank, np.full(len(inputs), -1, np.int64))
