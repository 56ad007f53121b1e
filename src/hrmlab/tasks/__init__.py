"""Tasks: vocabulary, generation, reading, checking, augmentation and drawing. numpy only, no torch."""

from hrmlab.tasks.arc import Arc
from hrmlab.tasks.base import IGNORE, TASKS, Examples, Split, Task, Tokens
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.table import Table

__all__ = ["IGNORE", "TASKS", "Arc", "Examples", "Maze", "Split", "Sudoku", "Table", "Task", "Tokens"]
