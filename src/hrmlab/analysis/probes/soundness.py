"""Checks of puzzles and their labels that need no model: which rows fail, and what would mend them."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from hrmlab.analysis.probes.rules import forms
from hrmlab.spec import TaskSpec
from hrmlab.tasks.base import IGNORE, Examples, Task

Flags = npt.NDArray[np.bool_]
Change = Callable[[Examples], npt.NDArray[np.integer]]

SHIFTS: dict[str, Change] = {
    "every label is one token too high": lambda e: e.labels - 1,
    "every label is one token too low": lambda e: e.labels + 1,
    "labels are shifted by one cell to the right": lambda e: np.roll(e.labels, -1, axis=1),
    "labels are shifted by one cell to the left": lambda e: np.roll(e.labels, 1, axis=1),
    "labels belong to the puzzle before": lambda e: np.roll(e.labels, -1, axis=0),
    "labels belong to the puzzle after": lambda e: np.roll(e.labels, 1, axis=0),
}
"""Ways in which labels are often wrong, and what would undo them."""


def faults(task: Task, examples: Examples) -> dict[str, Flags]:
    """By check, which examples fail it, (n,). Labels are judged only where they and the tokens are whole."""
    spec, labels = task.spec(), examples.labels
    strange = _strange(spec, examples.inputs) | _strange(spec, np.where(labels == IGNORE, 0, labels))
    scored = labels != IGNORE
    judged = scored.all(1) & ~strange
    wrong = np.zeros(len(labels), bool)
    wrong[judged] = ~task.valid(examples.inputs[judged].astype(np.int32), labels[judged].astype(np.int32))
    return {
        "vocabulary": strange,
        "identifiers": (examples.identifiers < 0) | (examples.identifiers >= spec.num_identifiers),
        "unscored": ~scored.any(1),
        "labels": wrong,
        "contradictory": _contradictory(examples),
    }


def leaks(task: Task, train: Examples, test: Examples) -> dict[str, Flags]:
    """Which held-out puzzles, (n,), occur in training: exactly, and where symmetries are known, up to them."""
    known = set(_keys(train, train.inputs))
    found = {"leak": np.array([key in known for key in _keys(test, test.inputs)], bool)}
    if any(_strange(task.spec(), examples.inputs).any() for examples in (train, test)):
        return found
    theirs, mine = forms(task, train.inputs), forms(task, test.inputs)
    if theirs is not None and mine is not None:
        known = set(_keys(train, theirs))
        same = np.array([key in known for key in _keys(test, mine)], bool)
        found["leak up to symmetry"] = same & ~found["leak"]
    return found


def shift(task: Task, examples: Examples, rows: Flags, enough: float) -> str | None:
    """What would make most of the wrong labels right, in words; None where nothing known here does."""
    spec = task.spec()
    for words, undo in SHIFTS.items():
        labels = undo(examples).astype(np.int32)
        judged = rows & ~_strange(spec, labels)
        right = task.valid(examples.inputs[judged].astype(np.int32), labels[judged])
        if right.sum() >= enough * rows.sum():
            return words
    return None


def _strange(spec: TaskSpec, tokens: npt.NDArray[np.integer]) -> Flags:
    return np.asarray(((tokens < 0) | (tokens >= spec.vocab_size)).any(1))


def _contradictory(examples: Examples) -> Flags:
    answers: dict[tuple[int, bytes], set[bytes]] = {}
    keys = _keys(examples, examples.inputs)
    for key, label in zip(keys, examples.labels.astype(np.int32), strict=True):
        answers.setdefault(key, set()).add(label.tobytes())
    return np.array([len(answers[key]) > 1 for key in keys], bool)


def _keys(examples: Examples, tokens: npt.NDArray[np.integer]) -> list[tuple[int, bytes]]:
    whole = np.ascontiguousarray(tokens, np.int32)
    return [(int(name), row.tobytes()) for name, row in zip(examples.identifiers, whole, strict=True)]
