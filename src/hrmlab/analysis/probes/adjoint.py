"""D-04: whether the exact gradient of the fixed point exists where the model ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.adjoint import linearised, solve
from hrmlab.analysis.probes.maths.summary import by_outcome, median, quartiles
from hrmlab.analysis.probes.subject import Subject
from hrmlab.results.probes import Finding


@PROBES.register(source="Bai et al. 2019, arXiv 1909.01377")
@dataclass(frozen=True, kw_only=True)
class Adjoint(Probe):
    """The residuals of the adjoint's fixed-point iteration at the end of a full run.

    puzzles: how many to run.
    iterations: the most, each a backward pass through one segment.
    tolerance: a residual that counts as solved.
    near: how little of its length the last segment may move the state for it to be near a fixed point.
    """

    code = "D-04"
    question = "Would an implicit (equilibrium) gradient be defined where the model ends?"
    definition = "|u_(j+1) - u_j| / |u_j| of u <- v + J'u, with J the Jacobian of one segment, v = dL/dz."
    caveats = (
        "It belongs to a fixed point: `distance` is how far the last segment still moves the states.",
        "The rate is the factor between successive terms J'^j v: of long series, the spectral radius of J.",
    )
    cost = "backward"
    preset = "standard"
    kind: Literal["adjoint"] = "adjoint"
    puzzles: int = 16
    iterations: int = 40
    tolerance: float = 1e-4
    near: float = 0.05

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("rate", 1.0, "D", "a series whose terms grow has no sum"),
            Threshold("near a fixed point", self.near, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch = subject.some(self.puzzles)
        here = linearised(subject, batch)
        found = solve(here.pull, here.pressure(), self.iterations, self.tolerance)
        right, rate, distance = subject.course.right[: len(batch), -1], found.rate(self.tolerance), here.residual()
        table: list[dict[str, Any]] = [
            {"iteration": number + 1} | quartiles("residual", residual) | by_outcome(residual, right)
            for number, residual in enumerate(found.residuals)
        ]
        rates, distances = by_outcome(rate, right), by_outcome(distance, right)
        scalars = {
            "rate": median(rate),
            "rate_right": rates["right"],
            "rate_wrong": rates["wrong"],
            "solved": float(found.settled(self.tolerance).float().mean()),
            "distance": median(distance),
            "distance_right": distances["right"],
            "distance_wrong": distances["wrong"],
        }
        return Outcome(len(batch), scalars, table, self._diverges(rates["right"], distances["right"]))

    def _diverges(self, rate: float | None, distance: float | None) -> list[Finding]:
        if rate is None or distance is None or rate < 1 or distance > self.near:
            return []
        return [
            self.finding(
                "diverges",
                "info",
                f"right answers stand still ({distance:.1%} a segment) where each term of the adjoint's series is "
                f"{rate:.2f} times the one before: a small change of the state grows there",
                "train by back-propagation through rows rather than by an implicit gradient; let training go on past "
                "the solution (halting exploration), so that answers become fixed points",
                observed=rate,
                threshold=1.0,
                evidence="D",
            )
        ]
