"""D-34: whether the halting head's promise of a right answer can be believed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hrmlab.analysis.calibration import Calibration, calibration
from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.traces import Flags, Floats
from hrmlab.halting import Correctness
from hrmlab.results.probes import Finding


@PROBES.register(source="Guo et al. 2017, arXiv 1706.04599; decomposition: Murphy 1973")
@dataclass(frozen=True, kw_only=True)
class HeadCalibration(Probe):
    """The halting head's probability of a right answer against right answers, by segment, and pooled over those that
    training runs to: deeper ones the head was never taught.

    draws: of the bootstrap over puzzles.
    gap: how far the mean promise may be from the share that is right, all of the 95 % interval beyond it.
    telling: area under the curve from which a head tells right answers from wrong ones.
    least: right answers, and wrong ones, that it takes to judge that.
    """

    code = "D-34"
    question = "When the model says that it is right, is it?"
    definition = (
        "p = sigmoid of the head's first value. ece: mean |p - share right| over 15 bins; gap: mean p - share right; "
        "brier: mean (p - right)^2 = reliability - resolution + uncertainty, up to the width of the bins."
    )
    caveats = ("Segments of one puzzle are no independent answers: intervals are over puzzles.",)
    cost = "byproduct"
    preset = "economy"
    kind: Literal["calibration"] = "calibration"
    draws: int = 200
    gap: float = 0.1
    telling: float = 0.6
    least: int = 10

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("gap", self.gap, "H", "hrm-lab"),
            Threshold("telling", self.telling, "H", "hrm-lab: 0.5 is chance"),
        )

    def measure(self, subject: Subject) -> Outcome:
        if not subject.halting.predicts_right:
            raise NotApplicable(f"halting '{subject.halting.kind}' does not teach the head to tell right answers")
        course = subject.course
        p: Floats = course.values[:, :, 0].double().sigmoid().cpu().numpy()
        right: Flags = course.right.cpu().numpy()
        columns: list[tuple[int | None, Calibration]] = [
            (at + 1, calibration(p[:, at], right[:, at])) for at in range(p.shape[1])
        ]
        p, right = p[:, : subject.halting.max_segments], right[:, : subject.halting.max_segments]
        pooled = calibration(p.ravel(), right.ravel())
        columns.insert(0, (None, pooled))
        table = [
            {"segment": segment, "p": mean, "right": share, "count": count}
            | {"ece": found.ece, "brier": found.brier, "auroc": found.auroc}
            for segment, found in columns
            for mean, share, count in found.reliability
        ]
        ece, gap = self._intervals(subject.rng(34), p, right)
        scalars: dict[str, float | str | None] = {
            "ece": pooled.ece,
            "ece_low": ece[0],
            "ece_high": ece[1],
            "ece_mass": pooled.ece_mass,
            "gap": float(p.mean() - right.mean()),
            "gap_low": gap[0],
            "gap_high": gap[1],
            "brier": pooled.brier,
            **decomposed(pooled),
            "auroc": pooled.auroc,
        }
        findings = [*self._off(subject, scalars), *self._blind(pooled, right)]
        return Outcome(len(p), scalars, table, findings)

    def _intervals(self, rng: np.random.Generator, p: Floats, right: Flags) -> tuple[list[float], list[float]]:
        """95 % intervals of the error and the gap, puzzles drawn with replacement."""
        drawn = [rng.integers(len(p), size=len(p)) for _ in range(self.draws)]
        errors = [calibration(p[rows].ravel(), right[rows].ravel()).ece for rows in drawn]
        gaps = [p[rows].mean() - right[rows].mean() for rows in drawn]
        low_high = [2.5, 97.5]
        return np.percentile(errors, low_high).tolist(), np.percentile(gaps, low_high).tolist()

    def _off(self, subject: Subject, scalars: dict[str, Any]) -> Iterator[Finding]:
        over = scalars["gap_low"] > self.gap
        if not over and not scalars["gap_high"] < -self.gap:
            return
        rule = subject.evaluation
        patch: dict[str, Any] = {}
        if over and isinstance(rule, Correctness) and rule.threshold < 0.98:
            patch = {"evaluation.threshold": 0.98}
        yield self.finding(
            "over_confident" if over else "under_confident",
            "warn" if over else "info",
            f"what the head promises is {scalars['gap']:+.0%} beside the share that is right "
            f"({scalars['gap_low']:+.0%} to {scalars['gap_high']:+.0%})",
            "pick the threshold on held-out puzzles: `hrm halting tune RUN`; train on more puzzles, or explore more",
            observed=scalars["gap"],
            threshold=self.gap if over else -self.gap,
            patch=patch,
        )

    def _blind(self, pooled: Calibration, right: Flags) -> Iterator[Finding]:
        rare = min(int(right.sum()), int((~right).sum()))
        if pooled.auroc is None or rare < self.least or pooled.auroc >= self.telling:
            return
        yield self.finding(
            "cannot_tell",
            "warn",
            f"a right answer is promised more than a wrong one in {pooled.auroc:.0%} of pairs only, over all segments",
            "let the head read every cell, and give its loss more weight",
            observed=pooled.auroc,
            threshold=self.telling,
            patch={"model.halting_head.readout": "mean"},
        )


def decomposed(found: Calibration) -> dict[str, float]:
    """Murphy's parts of the Brier score, over the bins."""
    p, share, count = np.array(found.reliability, dtype=np.float64).T
    weight = count / count.sum()
    base = float((weight * share).sum())
    return {
        "reliability": float((weight * (p - share) ** 2).sum()),
        "resolution": float((weight * (share - base) ** 2).sum()),
        "uncertainty": base * (1 - base),
    }
