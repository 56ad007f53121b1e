"""D-36: whether the halting values were learned, and what the run's rules make of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import median
from hrmlab.analysis.probes.replaying import Replay, replayed
from hrmlab.analysis.probes.subject import Subject
from hrmlab.halting import Correctness, Fixed, QLearning
from hrmlab.results.probes import Finding


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734, section 2; limits: hrm-lab")
@dataclass(frozen=True, kw_only=True)
class HaltingValues(Probe):
    """Halting values by segment, the error of Q(continue), and the steps under the rules of training and evaluation.

    pinned: share of the puzzles that all stop at once, or never, for the rule to count as pinned there.
    better: how much more accurate a later segment must be for stopping at once to be wrong.
    solved: share right at the end, half of them in the first half, for never stopping to be a waste.
    varies: spread of the head's first value, in logits, below which it says the same of every answer.
    """

    code = "D-36"
    question = "Did the halting head learn anything, and does the model stop at once or never?"
    definition = (
        "td: sigmoid(Q_continue) - max(sigmoid(Q_halt), sigmoid(Q_continue)) of the next segment; rising: share of "
        "steps over which Q_halt does not fall; stopped: share of the puzzles that a rule has stopped by then."
    )
    caveats = ("Recorded, not applied, without exploration and restarts, to the depth that was looked at.",)
    preset = "economy"
    kind: Literal["q_learning"] = "q_learning"
    pinned: float = 0.95
    better: float = 0.05
    solved: float = 0.5
    varies: float = 0.01

    def thresholds(self) -> Sequence[Threshold]:
        return tuple(
            Threshold(name, float(getattr(self, name)), "H", "hrm-lab")
            for name in ("pinned", "better", "solved", "varies")
        )

    def measure(self, subject: Subject) -> Outcome:
        if not subject.halting.predicts_right:
            raise NotApplicable(f"halting '{subject.halting.kind}' teaches no Q values")
        rules = {"training": subject.halting, "evaluation": subject.evaluation}
        found = replayed(subject, {name: rule for name, rule in rules.items() if not isinstance(rule, Fixed)})
        values, right = subject.course.values.float().cpu(), subject.course.right.cpu()
        halt, go_on = values.sigmoid().unbind(-1)
        learns = isinstance(subject.halting, QLearning) and subject.halting.continue_weight != 0
        td = (go_on[:, :-1] - values[:, 1:].sigmoid().amax(-1)) if learns else torch.empty(len(values), 0)
        table = [
            {
                "segment": at + 1,
                "halt": median(halt[:, at]),
                "continue": median(go_on[:, at]) if learns else None,
                "td": float(td[:, at].mean()) if at < td.shape[1] else None,
                "td_size": float(td[:, at].abs().mean()) if at < td.shape[1] else None,
                "right": float(right[:, at].float().mean()),
                **{f"stopped_{name}": _stopped(found.get(name), at + 1) for name in rules},
            }
            for at in range(values.shape[1])
        ]
        scalars: dict[str, float | str | None] = {
            "td_size": float(td.abs().mean()) if td.numel() else None,
            "rising": _rising(values[:, :, 0]),
            "spread": float(values[:, :, 0].std(correction=0)),
            **{f"segments_{name}": float(replay.at.mean()) for name, replay in found.items()},
        }
        findings = [
            *self._flat(subject, float(values[:, :, 0].std(correction=0)), right),
            *(finding for name, replay in found.items() for finding in self._at_once(subject, name, replay)),
            *(finding for name, replay in found.items() for finding in self._never(name, replay)),
        ]
        return Outcome(len(values), scalars, table, findings)

    def _flat(self, subject: Subject, spread: float, right: Tensor) -> Iterator[Finding]:
        share = float(right.float().mean())
        if spread >= self.varies or not 0.05 < share < 0.95:
            return
        weight = getattr(subject.halting, "weight", None)
        patch = {"halting.weight": 0.5} if weight == 0 else {"model.halting_head.readout": "mean"}
        yield self.finding(
            "head_learns_nothing",
            "fail",
            f"the head's first value spreads by {spread:.2g} over puzzles and segments, of which {share:.0%} are right",
            "look whether the head's loss has any weight, and whether what it reads sees the whole board",
            observed=spread,
            threshold=self.varies,
            patch=patch,
        )

    def _at_once(self, subject: Subject, name: str, found: Replay) -> Iterator[Finding]:
        at_once = float((found.at == 1)[found.chosen].sum() / len(found.at))
        by_depth = found.trace.right.mean(axis=0)
        best = int(by_depth.argmax())
        first = float(by_depth[0])
        gains = float(by_depth[best]) - first
        if len(by_depth) < 2 or at_once < self.pinned or (gains <= self.better and first >= 0.5):
            return
        later = f"; after segment {best + 1} it would be {by_depth[best]:.0%}" if gains > self.better else ""
        reads = isinstance(found.rule, (QLearning, Correctness))
        yield self.finding(
            "stops_at_once",
            "fail",
            f"the rule of {name}, '{found.rule.kind}', stops {at_once:.0%} of the puzzles after segment 1, of which "
            f"{first:.0%} are right{later}",
            "begin from a head that promises nothing, and let training explore" if reads else "take another rule",
            observed=at_once,
            threshold=self.pinned,
            patch=_unpinned(subject) if reads else {},
        )

    def _never(self, name: str, found: Replay) -> Iterator[Finding]:
        never = 1 - float(found.chosen.mean())
        right, limit = found.trace.right, found.trace.right.shape[1]
        share = float(right[:, -1].mean())
        if limit < 2 or never < self.pinned or share <= self.better:
            return
        solved = right[:, -1]
        middle = float(np.median(right[solved].argmax(axis=1) + 1))
        if middle > limit / 2:
            return
        dial = found.rule.dial
        yield self.finding(
            "never_stops",
            "warn" if share >= self.solved else "info",
            f"the rule of {name}, '{found.rule.kind}', stops {1 - never:.0%} of the puzzles before segment {limit}, "
            f"though {share:.0%} are right at the end, half of them since segment {middle:g}",
            "pick its threshold on held-out puzzles" + (f" (`{dial}`)" if dial else "") + ": `hrm halting tune RUN`",
            observed=never,
            threshold=self.pinned,
        )


def _unpinned(subject: Subject) -> dict[str, Any]:
    explored = float(getattr(subject.halting, "exploration", 0.0))
    return {"model.halting_head.bias": -5.0} | ({"halting.exploration": 0.1} if explored < 0.1 else {})


def _stopped(found: Replay | None, segment: int) -> float | None:
    return None if found is None else float((found.chosen & (found.at <= segment)).mean())


def _rising(halt: Tensor) -> float | None:
    steps = halt.diff(dim=1)
    return float((steps >= 0).float().mean()) if steps.numel() else None
