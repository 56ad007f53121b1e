"""ARC: the task, and underneath it grids as tokens, variants of puzzles, the building of data sets and the voting."""

from hrmlab.tasks.arc.task import Arc

__all__ = ["Arc"]
