"""D-26: the ways in which puzzles are solved, and in which they are not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.course import Course
from hrmlab.analysis.probes.lenses import solve_steps
from hrmlab.analysis.probes.maths.summary import mean, median
from hrmlab.analysis.probes.subject import Subject
from hrmlab.results.probes import Finding

PATTERNS = ("immediate", "delayed", "stuck", "wandering", "un-solved")


@PROBES.register(source="hrm-lab; modes after arXiv 2601.10679 and arXiv 2506.21734, section 3.3")
@dataclass(frozen=True, kw_only=True)
class Patterns(Probe):
    """Every puzzle in one of five classes: solved at once, solved later, stuck, wandering, un-solved.

    late: over how many last segments the drift is averaged.
    settled: an answer level that drifts by less, relative to its length, has settled.
    lost, stuck, fewest: shares of un-solved puzzles (of those ever right) and of stuck ones (of all) that are said,
        where there are at least `fewest` of them.
    """

    code = "D-26"
    question = "How are puzzles solved, and how do the others fail: stuck, wandering, or right and then wrong again?"
    definition = (
        "Right at the end: immediate (since segment 1) or delayed. Wrong at the end: un-solved (was right before), "
        "stuck (late drift of the answer level below `settled`), else wandering."
    )
    caveats = ("Whether a model settles is a matter of degree: look at the drift itself before reading much into it.",)
    preset = "economy"
    kind: Literal["patterns"] = "patterns"
    late: int = 4
    settled: float = 0.05
    lost: float = 0.05
    stuck: float = 0.1
    fewest: int = 3

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("settled", self.settled, "H", "hrm-lab; settled HRMs were seen at 0.005"),
            Threshold("lost", self.lost, "H", "hrm-lab"),
            Threshold("stuck", self.stuck, "H", "hrm-lab"),
            Threshold("fewest", self.fewest, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        course = subject.course
        drift = late_drift(course, self.late)
        which = classes(course.right, drift < self.settled)
        solved = solve_steps(course.right)
        turns = (course.right[:, 1:] != course.right[:, :-1]).sum(1)
        churn = (course.tokens[:, 1:] != course.tokens[:, :-1]).float().mean((1, 2))
        table: list[dict[str, Any]] = [
            {"pattern": name, "puzzles": int(here.sum()), "share": float(here.double().mean())}
            | {"solve": median(solved[here & (solved < course.right.shape[1])].double() + 1)}
            | {"turns": mean(turns[here].double()), "churn": median(churn[here]), "drift": median(drift[here])}
            for number, name in enumerate(PATTERNS)
            for here in [which == number]
        ]
        scalars: dict[str, float | str | None] = {row["pattern"]: row["share"] for row in table}
        scalars["settled"] = mean((drift < self.settled).double())
        return Outcome(len(which), scalars, table, [*self._lost(course), *self._stuck(subject, which)])

    def _lost(self, course: Course) -> list[Finding]:
        ever, lost = course.right.any(1), course.right.any(1) & ~course.right[:, -1]
        share = float(lost.sum() / ever.sum().clamp_min(1))
        if share <= self.lost or int(lost.sum()) < self.fewest:
            return []
        return [
            self.finding(
                "unsolved",
                "warn",
                f"{int(lost.sum())} of {int(ever.sum())} puzzles that were right at some segment ({share:.0%}) are "
                "wrong at the last one",
                "stop earlier (`hrm halting` compares the rules), or train with more segments",
                observed=share,
                threshold=self.lost,
            )
        ]

    def _stuck(self, subject: Subject, which: Tensor) -> list[Finding]:
        count = int((which == PATTERNS.index("stuck")).sum())
        share = count / len(which)
        if share <= self.stuck or count < self.fewest:
            return []
        restarts = hasattr(subject.evaluation, "restart_every") and subject.evaluation.restart_every is None
        return [
            self.finding(
                "stuck",
                "warn",
                f"{count} of {len(which)} puzzles ({share:.0%}) have settled on a wrong answer",
                "begin again from other states (`evaluation.restart_every`), or train longer",
                observed=share,
                threshold=self.stuck,
                patch={"evaluation.restart_every": subject.segments} if restarts else {},
            )
        ]


def late_drift(course: Course, late: int) -> Tensor:
    """(n,): change of the answer level over a segment, relative, mean over positions and the last segments."""
    found: Tensor = course.change[:, -late:].float().mean((1, 2))
    return found


def classes(right: Tensor, settled: Tensor) -> Tensor:
    """Places in `PATTERNS`: of answers by segment, (n, T), and whether the end is settled, (n,)."""
    failed = torch.where(right.any(1), 4, torch.where(settled, 2, 3))
    return torch.where(right[:, -1], torch.where(right.all(1), 0, 1), failed)
