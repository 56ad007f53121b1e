"""E-02: sound puzzles are silent; every planted fault is named."""

from dataclasses import replace

import numpy as np
import pytest

from hrmlab.analysis.probes.data import Data
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.table import Table

SIX = Sudoku(box_rows=2, box_cols=3)


@pytest.fixture(scope="module")
def six():
    return SIX.generate(30, 20, 0)


def rules(found):
    return [finding.rule for finding in found.findings]


def test_sound_puzzles_are_silent(subject, six):
    found = Data().run(subject())
    assert found.verdict == "ok" and all(row["found"] == 0 for row in found.table)
    found = Data().run(subject(task=SIX, examples=six.test, train=six.train))
    assert found.verdict == "ok"
    assert found.scalars == {"training_looked_at": 30, "held-out_looked_at": 20, "faults": 0, "leaks": 0}
    assert [row["check"] for row in found.table][-2:] == ["leak", "leak up to symmetry"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda labels: np.roll(labels, 1, axis=1), "one cell to the right"),
        (lambda labels: np.roll(labels, 1, axis=0), "the puzzle before"),
        (lambda labels: np.roll(labels, -1, axis=0), "the puzzle after"),
        (lambda labels: labels - 1, "one token too low"),
    ],
)
def test_shifted_labels_are_found_and_the_shift_is_named(subject, puzzles, change, words):
    test = puzzles.test
    found = Data().run(subject(examples=replace(test, labels=change(test.labels))))
    assert rules(found) == ["data.labels_wrong"]
    assert found.verdict == "fail" and words in found.findings[0].seen and "held-out" in found.findings[0].seen


def test_one_wrong_label_is_found_with_its_row(subject, puzzles):
    labels = puzzles.train.labels.copy()
    labels[7, [0, 1]] = labels[7, [1, 0]]
    found = Data().run(subject(train=replace(puzzles.train, labels=labels)))
    assert rules(found) == ["data.labels_wrong"]
    assert found.findings[0].observed == 1 and "(rows 7)" in found.findings[0].seen


def test_tokens_and_identifiers_outside_are_found(subject, puzzles):
    inputs, identifiers = puzzles.test.inputs.copy(), puzzles.test.identifiers.copy()
    inputs[3, 0], identifiers[2] = 99, 5
    found = Data().run(subject(examples=replace(puzzles.test, inputs=inputs, identifiers=identifiers)))
    assert rules(found) == ["data.vocabulary", "data.identifiers"]


def test_a_training_puzzle_among_the_held_out_ones_is_found(subject, puzzles):
    test = puzzles.test.part(slice(5)).joined(puzzles.train.part(slice(2)))
    found = Data().run(subject(examples=test))
    assert rules(found) == ["data.leak"]
    assert found.findings[0].observed == 2 and "(rows 5, 6)" in found.findings[0].seen


def test_a_leak_in_another_guise_is_found(subject, six):
    inputs, labels = SIX.augment(six.train.inputs[:3], six.train.labels[:3], np.random.default_rng(1))
    guise = replace(six.train.part(slice(3)), inputs=inputs, labels=labels)
    found = Data().run(subject(task=SIX, examples=six.test.joined(guise), train=six.train))
    assert rules(found) == ["data.leak"]
    assert found.scalars["leaks"] == 3
    assert found.findings[0].observed == 3 and "symmetric" in found.findings[0].seen


def test_unscored_puzzles_are_found(subject, puzzles):
    labels = puzzles.test.labels.copy()
    labels[1] = -100
    assert rules(Data().run(subject(examples=replace(puzzles.test, labels=labels)))) == ["data.unscored"]


def test_equal_questions_with_different_answers_are_found(subject):
    task = Table(vocabulary="ab", length=2)
    inputs = np.array([[1, 1], [1, 1], [2, 1]], np.int32)
    labels = np.array([[1, 2], [2, 2], [1, 2]], np.int32)
    zeros = np.zeros(3, np.int32)
    examples = type(subject().examples)(inputs, labels, zeros, zeros.astype(np.int64))
    found = Data().run(subject(task=task, examples=examples, train=None))
    assert rules(found) == ["data.contradictory"]
    assert found.findings[0].observed == 2
    assert "were not looked for" in found.caveats[-1]
