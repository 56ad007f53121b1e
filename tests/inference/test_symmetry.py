"""Symmetries that are read off a task's augmentation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.inference.symmetry import draw_symmetry
from hrmlab.tasks import Maze, Sudoku, Task

TASKS = [Sudoku(box_rows=2, box_cols=2), Sudoku(box_rows=2, box_cols=3), Sudoku(), Maze(rows=3, columns=3)]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"{task.kind}-{task.spec().seq_len}")
@given(seed=st.integers(0, 999))
def test_it_does_what_the_augmentation_does_and_can_be_undone(task: Task, seed: int) -> None:
    spec = task.spec()
    found = draw_symmetry(task.augment, spec.seq_len, spec.vocab_size, np.random.default_rng(seed))
    split = SPLITS.setdefault(id(task), task.generate(2, 2, 0))
    inputs, labels = split.test.inputs[:1], split.test.labels[:1]
    turned, answer = task.augment(inputs, labels, np.random.default_rng(seed))
    np.testing.assert_array_equal(found.apply(inputs[0]), turned[0])
    np.testing.assert_array_equal(found.apply(labels[0]), answer[0])
    np.testing.assert_array_equal(found.labels(labels[0]), answer[0])
    np.testing.assert_array_equal(found.undo(found.apply(labels[0])), labels[0])


SPLITS: dict[int, object] = {}


def test_unscored_cells_keep_their_mark() -> None:
    task = Sudoku(box_rows=2, box_cols=2)
    found = draw_symmetry(task.augment, 16, 6, np.random.default_rng(1))
    grid = np.full(16, -100, np.int32)
    grid[3] = 5
    moved = found.labels(grid)
    assert (moved == -100).sum() == 15
    assert moved[found.cells.tolist().index(3)] == found.tokens[5]
