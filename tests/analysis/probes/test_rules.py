"""Rules of tasks: conflicts counted by hand, forms equal under symmetry."""

import numpy as np
import pytest

from hrmlab.analysis.probes.rules import by_task, conflicts, forms
from hrmlab.tasks.arc import Arc
from hrmlab.tasks.arc.grids import place
from hrmlab.tasks.base import Examples
from hrmlab.tasks.board import dihedral
from hrmlab.tasks.carving import OPEN, PATH
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.sudoku import Sudoku

FOUR = Sudoku(box_rows=2, box_cols=2)
SIX = Sudoku(box_rows=2, box_cols=3)


def test_conflicts_by_hand(puzzles):
    answer = puzzles.test.labels[:1]
    assert conflicts(FOUR, answer).tolist() == [0]
    changed = answer.copy()
    changed[0, 0] = 2 if answer[0, 0] != 2 else 3
    assert conflicts(FOUR, changed).tolist() == [3]  # once each in its row, its column and its box
    assert conflicts(FOUR, np.full((1, 16), 2)).tolist() == [3 * 4 * 3]


def test_numbers_of_sudoku(puzzles):
    examples = puzzles.test.part(slice(4))
    answers = examples.labels.copy()
    given = int(np.flatnonzero(examples.inputs[0] > 1)[0])
    answers[0, given] = 2 if answers[0, given] != 2 else 3
    found = by_task(FOUR, examples, answers)
    assert found == {"conflicts_when_wrong": 3.0, "consistent_when_wrong": 0.0, "givens_changed": 0.25}
    assert by_task(FOUR, examples, examples.labels)["conflicts_when_wrong"] is None


@pytest.fixture(scope="module")
def mazes():
    return Maze(rows=4, columns=4).generate(4, 6, 0)


def test_numbers_of_mazes(mazes):
    task, examples = Maze(rows=4, columns=4), mazes.test
    answers = examples.labels.copy()
    answers[0, answers[0] == PATH] = OPEN
    found = by_task(task, examples, answers)
    assert found["joined"] == pytest.approx(5 / 6)
    assert found["joined_when_wrong"] == 0
    assert found["length_ratio_when_joined"] == 1


def test_numbers_of_arc():
    task = Arc()
    grids = np.array([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], np.uint8)
    labels = place(grids).astype(np.int32)
    labels[labels == 0] = -100
    examples = Examples(place(grids).astype(np.int32), labels, np.zeros(2, np.int32), np.zeros(2, np.int64))
    answers = place(grids).astype(np.int32)
    answers[0, 0] += 1
    answers[1, 1] = 1
    found = by_task(task, examples, answers)
    assert found["shape_right"] == 0.5
    assert found["cells_right_when_shape_right"] == pytest.approx(7 / 8)  # four colours and four markers


def test_forms_do_not_see_symmetry(mazes):
    split = SIX.generate(0, 5, 0)
    inputs, _ = SIX.augment(split.test.inputs, split.test.labels, np.random.default_rng(0))
    assert not np.array_equal(inputs, split.test.inputs)
    assert np.array_equal(forms(SIX, inputs), forms(SIX, split.test.inputs))
    assert len(np.unique(forms(SIX, split.test.inputs), axis=0)) == 5
    task, boards = Maze(rows=4, columns=4), mazes.test.inputs
    assert np.array_equal(forms(task, boards[:, dihedral(*task.shape)[1]]), forms(task, boards))
    assert forms(FOUR, split.test.inputs) is None
