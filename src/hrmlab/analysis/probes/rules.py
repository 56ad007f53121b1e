"""What can be said of an answer by a task's own rules, without the right one: how many of them it breaks, and how."""

import numpy as np
import numpy.typing as npt

from hrmlab.tasks.arc import Arc
from hrmlab.tasks.arc.grids import crop
from hrmlab.tasks.base import Examples, Task, Tokens
from hrmlab.tasks.board import dihedral
from hrmlab.tasks.carving import PATH
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.sudoku.engine import engine

Counts = npt.NDArray[np.int64]
BLANK = 1
"""Sudoku's token of an empty cell: digits come after it."""


def conflicts(task: Task, answers: npt.NDArray[np.integer]) -> Counts | None:
    """How many digits too many each Sudoku answer, (n, N), holds in its rows, columns and boxes; None elsewhere.

    The sum over units and digits of max(0, count - 1), as the heuristic error of arXiv 2601.10679.
    """
    if not isinstance(task, Sudoku):
        return None
    board = task.board
    total = np.zeros(len(answers), np.int64)
    for groups in (board.rows, board.columns, board.boxes):
        units = answers[:, np.argsort(groups, kind="stable")].reshape(len(answers), board.side, board.side)
        for digit in range(BLANK + 1, board.side + 2):
            total += np.maximum((units == digit).sum(2) - 1, 0).sum(1)
    return total


def by_task(task: Task, examples: Examples, answers: Tokens) -> dict[str, float | None]:
    """A task's own numbers about answers, (n, N), and of the wrong ones among them; empty for a task unknown here."""
    scored = examples.labels >= 0
    wrong = ((answers != examples.labels) & scored).any(1)
    if isinstance(task, Sudoku):
        broken = conflicts(task, answers)
        assert broken is not None
        given = examples.inputs > BLANK
        return {
            "conflicts_when_wrong": _mean(broken[wrong]),
            "consistent_when_wrong": _mean(broken[wrong] == 0),
            "givens_changed": _mean(((answers != examples.inputs) & given).any(1)),
        }
    if isinstance(task, Maze):
        marks, wanted = (answers == PATH).sum(1), (examples.labels == PATH).sum(1)
        joined = task.valid_path(examples.inputs, answers)
        return {
            "joined": _mean(joined),
            "joined_when_wrong": _mean(joined[wrong]),
            "length_ratio_when_joined": _mean((marks[joined] + 1) / (wanted[joined] + 1)),
        }
    if isinstance(task, Arc):
        mine, theirs = crop(answers), crop(np.where(scored, examples.labels, 0))
        same = (mine[0] == theirs[0]) & (mine[1] == theirs[1])
        cells = ((answers == examples.labels) & scored).sum(1) / scored.sum(1).clip(1)
        return {"shape_right": _mean(same), "cells_right_when_shape_right": _mean(cells[same])}
    return {}


def forms(task: Task, inputs: Tokens) -> npt.NDArray[np.integer] | None:
    """Puzzles, (n, N), in a form that is the same for all of one kind up to symmetry; None where none is known.

    4x4 Sudoku has so few kinds of puzzles that every set shares them: none is given either.
    """
    if isinstance(task, Sudoku) and task.board.side > 4:
        found: npt.NDArray[np.integer] = engine(task.board).canonical(np.maximum(inputs - BLANK, 0).astype(np.int8))
        return found
    if isinstance(task, Maze):
        table = dihedral(*task.shape)
        return np.array([min(row[table].tolist()) for row in inputs]).reshape(inputs.shape)
    return None


def _mean(values: npt.NDArray[np.generic]) -> float | None:
    return float(values.mean()) if len(values) else None
