"""E-02: what is wrong with the puzzles themselves, before anything is blamed on the model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.soundness import Flags, faults, leaks, shift
from hrmlab.analysis.probes.subject import Subject
from hrmlab.results.probes import Finding, Severity
from hrmlab.tasks.base import Examples, Task


@dataclass(frozen=True)
class Fault:
    """A check that puzzles fail: name of the rule, what is wrong with them, what to do."""

    rule: str
    severity: Severity
    what: str
    advice: str


FAULTS = {
    "vocabulary": Fault(
        "vocabulary",
        "fail",
        "hold tokens outside the vocabulary",
        "compare the task's vocabulary with the numbers in the data set (`hrm data check`)",
    ),
    "identifiers": Fault(
        "identifiers",
        "fail",
        "have an identifier outside the puzzle table",
        "set the task's number of identifiers to that of the data set",
    ),
    "unscored": Fault("unscored", "fail", "have no cell that is scored", "look at the labels: all of them are padding"),
    "labels": Fault(
        "labels_wrong",
        "fail",
        "have labels that break the rules of their own task",
        "look at how labels were made and aligned with their inputs (`hrm data check`)",
    ),
    "contradictory": Fault(
        "contradictory",
        "warn",
        "ask a question that another one answers differently",
        "give them identifiers of their own, or drop them",
    ),
}


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
            Threshold("faults", 0, "M", "textbook"),
            Threshold("mended", self.mended, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        sets = {"held-out": _rows(subject.examples, self.puzzles)}
        if subject.train is not None and len(subject.train):
            sets = {"training": _rows(subject.train, self.puzzles)} | sets
        if not any(len(examples) for examples in sets.values()):
            raise NotApplicable("there are no puzzles")
        found: list[tuple[str, str, Flags]] = []
        for name, examples in sets.items():
            found += [(name, check, rows) for check, rows in faults(subject.task, examples).items()]
        findings = [
            self._fault(subject.task, check, rows, name, sets[name]) for name, check, rows in found if rows.any()
        ]
        caveat = "The training puzzles are gone: leaks were not looked for."
        if "training" in sets:
            caveat = f"Leaks are looked for among {len(sets['training'])} training puzzles."
            leaking = leaks(subject.task, sets["training"], sets["held-out"])
            found += [("held-out", check, rows) for check, rows in leaking.items()]
            findings += [self._leak(check, rows) for check, rows in leaking.items() if rows.any()]
        table: list[dict[str, Any]] = [
            {"check": check, "set": name, "looked_at": len(rows), "found": int(rows.sum())}
            for name, check, rows in found
        ]
        scalars: dict[str, float | str | None] = {f"{name}_looked_at": len(examples) for name, examples in sets.items()}
        scalars["faults"] = sum(int(rows.sum()) for _, check, rows in found if check in FAULTS)
        scalars["leaks"] = sum(int(rows.sum()) for _, check, rows in found if check not in FAULTS)
        return Outcome(sum(map(len, sets.values())), scalars, table, findings, [caveat])

    def _fault(self, task: Task, check: str, rows: Flags, name: str, examples: Examples) -> Finding:
        fault = FAULTS[check]
        how = shift(task, examples, rows, self.mended) if check == "labels" else None
        where = f"{f': {how}' if how else ''} (rows {_some(rows)})"
        return self.finding(
            fault.rule,
            fault.severity,
            f"{int(rows.sum())} of {len(rows)} {name} puzzles {fault.what}{where}",
            fault.advice,
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


def _rows(examples: Examples, most: int) -> Examples:
    """The first of them, in memory."""
    return examples.part(slice(min(most, len(examples))))


def _some(rows: Flags) -> str:
    first = np.flatnonzero(rows)
    return ", ".join(map(str, first[:3].tolist())) + (", ..." if len(first) > 3 else "")
