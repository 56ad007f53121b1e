"""D-25: whether the loss falls bit by bit, or at one segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import mean, median, quartiles
from hrmlab.analysis.probes.subject import Subject


@PROBES.register(source="'grokking' along reasoning steps, arXiv 2601.10679; index hrm-lab")
@dataclass(frozen=True, kw_only=True)
class CriticalStep(Probe):
    """The largest share of a puzzle's whole fall in loss that comes at a single segment, and which one.

    sudden: a larger share is called sudden. least: puzzles whose loss falls by less, in nats a cell, have no step.
    around: segments before and after the step that the aligned curve shows.
    """

    code = "D-25"
    question = "Does the answer come at one decisive segment, or bit by bit?"
    definition = "G = max over m of (L_(m-1) - L_m), over L_1 - min L; m its place; over puzzles whose loss falls."
    caveats = ("What happens within the first segment does not show: such puzzles count as 'at once'.",)
    preset = "economy"
    kind: Literal["critical_step"] = "critical_step"
    sudden: float = 0.5
    least: float = 0.05
    around: int = 4

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("sudden", self.sudden, "H", "hrm-lab"), Threshold("least", self.least, "H", "hrm-lab"))

    def measure(self, subject: Subject) -> Outcome:
        loss, right = subject.course.loss, subject.course.right
        if loss.shape[1] < 3:
            raise NotApplicable(f"{loss.shape[1]} segments are too few to tell steps apart; look at 3 or more")
        share, at, whole = steepest(loss)
        falls = whole >= self.least
        sudden = share[falls] > self.sudden
        scalars: dict[str, float | str | None] = {
            "at_once": mean(right[:, 0].float()),
            "falling": mean(falls.float()),
            "sudden": mean(sudden.float()),
            "share": median(share[falls]),
            "segment": median(at[falls].double() + 1),
        }
        table: list[dict[str, Any]] = [
            {"offset": offset, "puzzles": len(values)} | quartiles("loss", values)
            for offset in range(-self.around, self.around + 1)
            for values in [_at(loss[falls], at[falls] + offset)]
            if len(values)
        ]
        return Outcome(int(falls.sum()), scalars, table)


def steepest(loss: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of losses by segment, (n, T): share of the fall at its steepest segment, that segment from 0, the whole fall."""
    falls = loss[:, :-1] - loss[:, 1:]
    most, at = falls.max(1)
    whole = loss[:, 0] - loss.amin(1)
    return (most / whole.clamp_min(1e-12)).clamp(0, 1) * (whole > 0), at + 1, whole


def _at(loss: Tensor, where: Tensor) -> Tensor:
    """Each puzzle's loss at a segment of its own, of those that have it."""
    inside = (where >= 0) & (where < loss.shape[1])
    return loss[inside].gather(1, where[inside, None]).squeeze(1)
