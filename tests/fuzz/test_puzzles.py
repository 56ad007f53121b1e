"""Puzzles as people type them: read, checked, written and drawn by every task, or refused."""

from pathlib import Path

import numpy as np
import pytest
from fuzz.damage import damaged_text
from fuzz.harness import fuzzed, judge
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.tasks import Arc, Maze, Sudoku, Table
from hrmlab.tasks.base import Task

TYPED: dict[str, tuple[Task, tuple[str, ...]]] = {
    "sudoku-4x4": (Sudoku(box_rows=2, box_cols=2), ("12..34.2.1434..1", "1 2|. .\n-+-\n. . 1 2\n3 . . .\n. . . 1")),
    "sudoku-16x16": (Sudoku(box_rows=4, box_cols=4), ("0123456789abcdef" + "." * 240,)),
    "maze": (Maze(rows=2, columns=2), ("######S..##.#.##..G######", "#####\n#S..#\n###.#\n#..G#\n#####")),
    "arc": (Arc(), ("012/345", "@2,5 01/23", "0 1\n2 3")),
    "table": (Table(vocabulary="abc", length=4), ("abc", "a")),
    "separated": (Table(vocabulary="ab c", separator=" ", shape=(2, 2)), ("ab c\nc", "ab")),
}


@pytest.mark.parametrize("name", TYPED)
def test_what_is_typed(home: Path, name: str) -> None:
    task, sources = TYPED[name]
    task.check(task.parse(sources[0]))  # the first time, the solver is compiled

    @fuzzed(share=0.4)
    @given(damaged_text(*sources) | st.text(alphabet="".join(sources) + "0.#@/, ", max_size=30))
    def typed(text: str) -> None:
        def read() -> None:
            puzzle = task.parse(text)
            task.check(puzzle)
            assert np.array_equal(task.parse(task.format(puzzle)), puzzle)
            assert task.draw(puzzle)

        judge(read, home)

    typed()
