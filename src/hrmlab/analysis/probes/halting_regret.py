"""D-35: what is lost by stopping where the run's rule stops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.replaying import Replay, replayed
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.replay import Point, cheapest, fixed, oracle, point, score, sweep
from hrmlab.results.probes import Finding


@PROBES.register(source="hrm-lab; regret against the best segment of each puzzle")
@dataclass(frozen=True, kw_only=True)
class HaltingRegret(Probe):
    """The evaluation's rule on a full run: answers given too early, too late, and segments spent for nothing.

    price: of a segment, in right answers.
    premature, overrun: shares of the puzzles that may be stopped wrong though right later, or earlier.
    dominated: how much more accurate a fixed depth of no more segments may be.
    """

    code = "D-35"
    question = "Does the halting rule stop at the right time?"
    definition = (
        "M: where the rule stops; m*: first right segment. premature: wrong at M, right later; overrun: wrong at M, "
        "right before; unsolvable: never right; compute_regret: mean (M - m*)+ of the others; priced_regret: mean of "
        "max_m U(m) - U(M), U(m) = right at m - price * m."
    )
    caveats = (
        "Recorded, not applied, without restarts, to the depth that was looked at.",
        "A cutoff proposed here was picked on these very puzzles: `hrm halting tune` holds some back.",
    )
    preset = "standard"
    kind: Literal["halting_regret"] = "halting_regret"
    price: float = 0.01
    premature: float = 0.05
    overrun: float = 0.05
    dominated: float = 0.05

    def thresholds(self) -> Sequence[Threshold]:
        return tuple(
            Threshold(name, float(getattr(self, name)), "H", "hrm-lab")
            for name in ("premature", "overrun", "dominated")
        )

    def measure(self, subject: Subject) -> Outcome:
        found = replayed(subject, {"own": subject.evaluation})["own"]
        own = score(found.trace, found.at, found.chosen, found.rule.cutoff)
        swept = [point(found.trace, found.readiness, cutoff) for cutoff in sweep(found.readiness, 32)]
        frontiers = {"fixed": fixed(found.trace), "rule": swept, "oracle": [oracle(found.trace)], "own": [own]}
        table = [
            {"frontier": name, "cutoff": at.cutoff, "segments": at.mean_segments, "accuracy": at.accuracy}
            for name, points in frontiers.items()
            for at in points
        ]
        scalars = regrets(found, self.price)
        findings = [
            *self._early(found, scalars, frontiers["fixed"][-1], swept),
            *self._late(found, scalars),
            *self._worse(found, own, frontiers["fixed"]),
        ]
        return Outcome(len(found.at), scalars, table, findings)

    def _early(self, found: Replay, scalars: dict[str, Any], everyone: Point, swept: list[Point]) -> Iterator[Finding]:
        if scalars["premature"] <= self.premature:
            return
        better = cheapest(swept, everyone.accuracy)
        rule = found.rule.at(better.cutoff) if better is not None else None
        dial = found.rule.dial
        yield self.finding(
            "premature",
            "warn",
            f"'{found.rule.kind}' stops {scalars['premature']:.1%} of the puzzles on a wrong answer that would become "
            f"right: {scalars['accuracy']:.1%} right in {scalars['segments']:.2f} segments, {everyone.accuracy:.1%} if "
            f"all run to segment {found.readiness.shape[1]}",
            "make the rule surer: `hrm halting tune RUN`",
            observed=scalars["premature"],
            threshold=self.premature,
            patch={f"evaluation.{dial}": getattr(rule, dial)} if rule is not None and dial is not None else {},
        )

    def _late(self, found: Replay, scalars: dict[str, Any]) -> Iterator[Finding]:
        if scalars["overrun"] <= self.overrun:
            return
        yield self.finding(
            "overrun",
            "warn",
            f"{scalars['overrun']:.1%} of the puzzles are stopped on a wrong answer after a right one",
            "stop where the answer is right rather than at the limit, and train beyond that limit",
            observed=scalars["overrun"],
            threshold=self.overrun,
            patch={"halting.max_segments": 2 * found.rule.max_segments} if not found.chosen.any() else {},
        )

    def _worse(self, found: Replay, own: Point, depths: list[Point]) -> Iterator[Finding]:
        rivals = [at for at in depths if at.mean_segments <= own.mean_segments]
        best = max(rivals, key=lambda at: at.accuracy, default=None)
        if not found.chosen.any() or best is None or best.accuracy - own.accuracy <= self.dominated:
            return
        yield self.finding(
            "dominated",
            "warn",
            f"stopping everyone after segment {best.max_segments} is {best.accuracy:.1%} right; '{found.rule.kind}' "
            f"is {own.accuracy:.1%} right in {own.mean_segments:.2f}",
            "take the fixed depth, or another rule: `hrm halting RUN` compares them",
            observed=best.accuracy - own.accuracy,
            threshold=self.dominated,
            patch={"evaluation": {"kind": "fixed", "max_segments": best.max_segments}},
        )


def regrets(found: Replay, price: float) -> dict[str, float | str | None]:
    """Shares of the puzzles, mean segments and mean utility."""
    right, at, stopped_right = found.trace.right, found.at, found.right
    ever = right.any(axis=1)
    first = right.argmax(axis=1) + 1
    segments = np.arange(1, right.shape[1] + 1)
    later = (right & (segments > at[:, None])).any(axis=1)
    before = (right & (segments < at[:, None])).any(axis=1)
    utility = right - price * segments
    lost = utility.max(axis=1) - (stopped_right - price * at)
    return {
        "accuracy": float(stopped_right.mean()),
        "segments": float(at.mean()),
        "chosen": float(found.chosen.mean()),
        "accuracy_regret": float(ever.mean() - stopped_right.mean()),
        "premature": float((~stopped_right & later).mean()),
        "overrun": float((~stopped_right & before).mean()),
        "unsolvable": float((~ever).mean()),
        "compute_regret": float(np.maximum(at - first, 0)[ever].mean()) if ever.any() else None,
        "priced_regret": float(lost.mean()),
    }
