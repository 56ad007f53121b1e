"""D-09: how far each update moves its state."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import median, quartiles
from hrmlab.analysis.probes.subject import Subject


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734, figure 3; formula derived, the paper prints none")
@dataclass(frozen=True, kw_only=True)
class ForwardResidual(Probe):
    """How far each update moves its level's state, along the whole run.

    frozen: a level whose relative residual never exceeds this does not take part.
    """

    code = "D-09"
    question = "Do the states go on moving, settle, or blow up?"
    definition = "|z_t - z_(t-1)| over all positions, and over |z_(t-1)|: median and quartiles over puzzles."
    caveats = ("With norms after each block the relative residual cannot exceed 2.",)
    preset = "economy"
    kind: Literal["forward_residual"] = "forward_residual"
    frozen: float = 1e-4

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("frozen", self.frozen, "H", "hrm-lab"),)

    def measure(self, subject: Subject) -> Outcome:
        course = subject.course
        relative, right = course.relative(), course.right[:, -1]
        table = [
            {"segment": segment, "row": row, "level": level}
            | quartiles("residual", course.residual[:, segment, row])
            | quartiles("relative", relative[:, segment, row])
            | {"right": median(relative[right, segment, row]), "wrong": median(relative[~right, segment, row])}
            for segment in range(relative.shape[1])
            for row, level in enumerate(course.levels)
        ]
        first: dict[str, float | None] = {}
        last: dict[str, float | None] = {}
        for level in subject.model.schedule.levels:
            rows = course.rows_of(level)
            first[f"{level}_first"] = median(relative[:, 0, rows])
            last[f"{level}_last"] = median(relative[:, -1, rows])
        still = [
            level for level in subject.model.schedule.levels
            if float(relative[:, :, course.rows_of(level)].amax()) < self.frozen
        ]  # fmt: skip
        findings = [
            self.finding(
                "frozen",
                "fail",
                f"the state of '{level}' does not move: no update changes it by over {self.frozen:g} of its length",
                "look at the scale of what is added to it, and whether its network's weights are all zero",
                observed=float(relative[:, :, course.rows_of(level)].amax()),
                threshold=self.frozen,
            )
            for level in still
        ]
        return Outcome(len(right), first | last, table, findings)
