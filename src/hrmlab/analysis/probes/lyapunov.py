"""D-15: how fast neighbouring states part or meet along a whole run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.calibration import auroc
from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.linearised import Linearised
from hrmlab.analysis.probes.maths.lyapunov import orthonormal
from hrmlab.analysis.probes.maths.summary import outcomes
from hrmlab.analysis.probes.steps import joined, moments, parted, states_after
from hrmlab.analysis.probes.subject import Subject
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States


@PROBES.register(source="Benettin et al. 1980; for HRM and TRM in unreviewed drafts only")
@dataclass(frozen=True, kw_only=True)
class Lyapunov(Probe):
    """The largest finite-time Lyapunov exponents of all levels' states together.

    puzzles: how many. exponents: how many of the largest. segments: at most so many.
    """

    code = "D-15"
    question = "Is the run chaotic: do neighbouring states part?"
    definition = (
        "Tangents of the joined states pass every update's Jacobian and are made orthonormal after each (QR); exponent "
        "= mean of ln |R_ii| over the updates."
    )
    caveats = (
        "Comparable only with numbers of the same estimator, and of schedules with as many updates.",
        "Mostly a costly way to see what settling (D-11) sees.",
    )
    cost = "jvp"
    preset = "full"
    kind: Literal["lyapunov"] = "lyapunov"
    puzzles: int = 32
    exponents: int = 4
    segments: int = 16

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    def measure(self, subject: Subject) -> Outcome:
        batch, model = subject.some(self.puzzles), subject.model
        segments = min(self.segments, subject.segments)
        right = subject.course.right[: len(batch), -1]
        states = states_after(model, batch, segments)
        start = joined(states[0])
        count = min(self.exponents, start.shape[1])
        drawn = torch.randn((len(batch), count, start.shape[1]), generator=subject.generator(15)).to(start)
        tangents, _ = orthonormal(drawn)
        total = torch.zeros(len(batch), count)
        for before in states[:-1]:
            tangents, grown = through_segment(model, batch, before, tangents)
            total += grown.cpu()
        found = total / (segments * len(model.schedule.updates))
        scalars: dict[str, float | str | None] = {}
        for k in range(count):
            scalars |= outcomes(f"exponent_{k + 1}", found[:, k], right)
        scalars["auc"] = auroc(-found[:, 0].double().numpy(), right.numpy())
        table: list[dict[str, Any]] = [
            {"puzzle": puzzle, "right": bool(right[puzzle]), "exponent": k + 1, "value": float(found[puzzle, k])}
            for puzzle in range(len(batch))
            for k in range(count)
        ]
        return Outcome(len(batch), scalars, table)


def through_segment(model: HRM, batch: Batch, states: States, tangents: Tensor) -> tuple[Tensor, Tensor]:
    """Tangents, (B, K, D), after a segment, orthonormal, and the sum of their ln |R_ii|, (B, K)."""
    total = torch.zeros(tangents.shape[:2], device=tangents.device)
    for moment in moments(model, batch, states):
        linear, target = Linearised(moment.of_states, joined(moment.states)), moment.update.target
        moved = []
        for tangent in tangents.unbind(1):
            parts = parted(tangent, states)
            parts[target] = linear.push(tangent).reshape(parts[target].shape)
            moved.append(joined(parts))
        tangents, grown = orthonormal(torch.stack(moved, 1))
        total += grown
    return tangents, total
