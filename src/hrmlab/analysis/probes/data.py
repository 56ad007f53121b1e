"""E-02: what is wrong with the puzzles themselves, before anything is blamed on the model."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.rules import forms
from hrmlab.analysis.probes.subject import Subject
from hrmlab.results.probes import Finding
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


@PROBES.register(source="hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Data(Probe):
    """Checks of the training and the held-out puzzles; the model is not run.

    puzzles: of each set, how many are looked at. mended: labels are said to be shifted in a certain way where undoing
        it makes this share of the wrong ones right.
    """

    code = "E-02"
    question = "Are the puzzles sound: right labels, known tokens, no training puzzle among the held-out ones?"
    definition = (
        "Numbers of puzzles with tokens outside the vocabulary, identifiers outside the table, no scored cell, labels "
        "that break the task's rules, an equal question with another answer; and of held-out puzzles that occur in "
        "training, exactly or as a symmetric form."
    )
    cost = "byproduct"
    preset = "economy"
    kind: Literal["data"] = "data"
    puzzles: int = 2000
    mended: float = 0.9

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("faults", 0, "M", "an input and its label are one example"),
            Threshold("mended", self.mended, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        sets = {"held-out": _rows(subject.examples, self.puzzles)}
        if subject.train is not None and len(subject.train):
            sets = {"training": _rows(subject.train, self.puzzles)} | sets
        if not any(len(examples) for examples in sets.values()):
            raise NotApplicable("there are no puzzles")
        table: list[dict[str, Any]] = []
        findings: list[Finding] = []
        for name, examples in sets.items():
            found = faults(subject.task, examples)
            table += [
                {"check": check, "set": name, "looked_at": len(examples), "found": int(rows.sum())}
                for check, rows in found.items()
            ]
            findings += [
                self._fault(subject.task, check, rows, name, examples) for check, rows in found.items() if rows.any()
            ]
        caveats = []
        if "training" in sets:
            caveats.append(f"Leaks are looked for among {len(sets['training'])} training puzzles.")
            for check, rows in leaks(subject.task, sets["training"], sets["held-out"]).items():
                table.append(
                    {"check": check, "set": "held-out", "looked_at": len(sets["held-out"]), "found": int(rows.sum())}
                )
                findings += [self._leak(check, rows)] if rows.any() else []
        else:
            caveats.append("The training puzzles are gone: leaks were not looked for.")
        scalars = {f"{row['set']}: {row['check']}": row["found"] for row in table}
        return Outcome(sum(map(len, sets.values())), scalars, table, findings, caveats)

    def _fault(self, task: Task, check: str, rows: Flags, name: str, examples: Examples) -> Finding:
        rule, what, advice = FAULTS[check]
        how = _shift(task, examples, rows, self.mended) if check == "labels" else None
        return self.finding(
            rule,
            "fail",
            f"{int(rows.sum())} of {len(rows)} {name} puzzles {what}{f': {how}' if how else ''} (rows {_some(rows)})",
            advice,
            observed=int(rows.sum()),
            threshold=0,
            evidence="M",
        )

    def _leak(self, check: str, rows: Flags) -> Finding:
        form = "" if check == "leak" else " in a symmetric form"
        return self.finding(
            "leak",
            "fail",
            f"{int(rows.sum())} of {len(rows)} held-out puzzles are among the training puzzles looked at{form} "
            f"(rows {_some(rows)}): accuracy on them says nothing of new puzzles",
            "take them out of one of the sets; `hrm data build` keeps them apart",
            observed=int(rows.sum()),
            threshold=0,
            evidence="M",
        )


FAULTS = {
    "vocabulary": (
        "vocabulary",
        "hold tokens outside the vocabulary",
        "compare the task's vocabulary with the numbers in the data set (`hrm data check`)",
    ),
    "identifiers": (
        "identifiers",
        "have an identifier outside the puzzle table",
        "set the task's number of identifiers to that of the data set",
    ),
    "unscored": ("unscored", "have no cell that is scored", "look at the labels: all of them are padding"),
    "labels": (
        "labels_wrong",
        "have labels that break the rules of their own task",
        "look at how labels were made and aligned with their inputs (`hrm data check`)",
    ),
    "contradictory": (
        "contradictory",
        "ask a question that another one answers differently",
        "give them identifiers of their own, or drop them",
    ),
}
"""By check: name of the rule, what is wrong with the puzzles, what to do."""


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


def _shift(task: Task, examples: Examples, rows: Flags, enough: float) -> str | None:
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


def _rows(examples: Examples, most: int) -> Examples:
    """The first of them, in memory."""
    return examples.part(slice(min(most, len(examples))))


def _some(rows: Flags) -> str:
    first = np.flatnonzero(rows)
    return ", ".join(map(str, first[:3].tolist())) + (", ..." if len(first) > 3 else "")
