"""D-11: whether the states of right and wrong answers come to rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from torch import Tensor

from hrmlab.analysis.calibration import auroc
from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.course import Course
from hrmlab.analysis.probes.maths.otsu import otsu
from hrmlab.analysis.probes.maths.summary import outcomes
from hrmlab.analysis.probes.subject import Subject
from hrmlab.results.probes import Finding


@PROBES.register(source="hrm-lab; Otsu 1979 for the cut")
@dataclass(frozen=True, kw_only=True)
class Settling(Probe):
    """Two by two: settled or still moving, right or wrong.

    late: last segments over which the drift is averaged.
    separation: share of the variance of ln drift that must lie between settled and unsettled for the cut to mean
        something; an even spread gives 0.75.
    stuck: share of wrong answers that are settled from which they are reported, if they are at least `fewest`.
    """

    code = "D-11"
    question = "When an answer is wrong, has the model come to rest on it, or is it still searching?"
    definition = (
        "Drift = root mean square over positions of |z_t - z_(t-1)| / |z_(t-1)| of the answer level over a segment, "
        "mean of the last segments; settled where ln drift is below Otsu's cut."
    )
    caveats = ("Where the drifts form one heap, the cut through it says nothing: see the separation.",)
    preset = "economy"
    kind: Literal["settling"] = "settling"
    late: int = 4
    separation: float = 0.8
    stuck: float = 0.5
    fewest: int = 5

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("separation", self.separation, "M", "an even distribution gives 0.75, two heaps near 1"),
            Threshold("stuck", self.stuck, "H", "hrm-lab; an HRM on hard Sudoku was reported at 0.0055"),
        )

    def measure(self, subject: Subject) -> Outcome:
        course = subject.course
        if course.change.shape[1] < 2:
            raise NotApplicable("one segment only; nothing can settle")
        moved = drift(course)[:, -self.late :].mean(1)
        right = course.right[:, -1]
        heights = moved.clamp_min(1e-12).log().numpy()
        cut, share = otsu(heights) or (float("nan"), 0.0)
        two = share >= self.separation
        settled = heights < cut
        flags = right.numpy()
        cells = {
            f"{rest}_{answer}": int((a & b).sum())
            for rest, a in (("settled", settled), ("moving", ~settled))
            for answer, b in (("right", flags), ("wrong", ~flags))
        }
        scalars: dict[str, float | str | None] = {
            "separation": share,
            "cut": float(np.exp(cut)) if two else None,
            "auc": auroc(-heights, flags),
            **outcomes("drift", moved, right),
            **(cells if two else dict.fromkeys(cells)),
        }
        for q in (25, 50, 75):
            low = heights <= np.percentile(heights, q)
            scalars[f"right_of_lowest_{q}%"] = float(flags[low].mean())
        table: list[dict[str, Any]] = [
            {"puzzle": at, "drift": float(moved[at]), "settled": bool(settled[at]) if two else None,
             "right": bool(right[at]), "halt": float(course.values[at, -1, 0])}
            for at in range(len(right))
        ]  # fmt: skip
        return Outcome(len(right), scalars, table, self._stuck(cells, subject) if two else [])

    def _stuck(self, cells: dict[str, int], subject: Subject) -> list[Finding]:
        stuck, wrong = cells["settled_wrong"], cells["settled_wrong"] + cells["moving_wrong"]
        if stuck < self.fewest or stuck < self.stuck * wrong:
            return []
        return [
            self.finding(
                "stuck",
                "warn",
                f"{stuck} of {wrong} wrong answers have come to rest: more segments will not change them",
                "begin again from other states after some segments, or train longer on puzzles of this kind",
                observed=stuck / wrong,
                threshold=self.stuck,
                patch={} if subject.evaluation.restart_every else {"evaluation.restart_every": subject.segments},
            )
        ]


def drift(course: Course) -> Tensor:
    """(n, T): root mean square over positions of the answer level's relative change over each segment."""
    return course.change.square().mean(2).sqrt()
