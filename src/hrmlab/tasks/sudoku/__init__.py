"""Sudoku: the task, and underneath it an exact solver, a generator and the symmetries of the board."""

from hrmlab.tasks.sudoku.task import Sudoku

__all__ = ["Sudoku"]
