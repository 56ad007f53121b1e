"""D-28: what more thinking buys, far beyond the depth of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.snapshots import chunks
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import answering
from hrmlab.core.cost import costs
from hrmlab.results.probes import Finding


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734, figure 5c; rule hrm-lab")
@dataclass(frozen=True, kw_only=True)
class DepthScaling(Probe):
    """Accuracy and operations at 1, 2, 4, ... segments for all puzzles.

    puzzles: how many to run. deepest: segments.
    fall: accuracy lost between the depth of training and the deepest that is said, by at least `fewest` puzzles.
    solved: a model that is right this often at its depth of training need not gain by more.
    """

    code = "D-28"
    question = "Do more segments than in training help, do nothing, or harm?"
    definition = "Share of puzzles wholly right after M segments; operations of matrix products for one puzzle."
    kind: Literal["depth_scaling"] = "depth_scaling"
    puzzles: int = 48
    deepest: int = 64
    fall: float = 0.02
    fewest: int = 3
    solved: float = 0.9

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("fall", self.fall, "H", "hrm-lab"),
            Threshold("fewest", self.fewest, "H", "hrm-lab"),
            Threshold("solved", self.solved, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch, trained = subject.some(self.puzzles), subject.halting.max_segments
        right = torch.cat([answering(subject.model, part, self.deepest).right for part in chunks(batch)])
        price = costs(subject.model.config, subject.model.spec).segment(subject.model.schedule)
        table: list[dict[str, Any]] = [
            {"segments": depth, "accuracy": float(right[:, depth - 1].double().mean()), "flops": depth * price}
            | {"training": depth == trained}
            for depth in depths(self.deepest, trained)
        ]
        scalars: dict[str, float | str | None] = {
            "training_segments": trained,
            "flops_per_segment": price,
            "accuracy_deepest": table[-1]["accuracy"],
        }
        findings: list[Finding] = []
        if trained < self.deepest:
            scalars["accuracy_training"] = float(right[:, trained - 1].double().mean())
            findings = self.judged(right, trained)
        return Outcome(len(batch), scalars, table, findings)

    def judged(self, right: Tensor, trained: int) -> list[Finding]:
        """What is wrong with answers by segment, (n, T), of a model trained at a depth below T."""
        before, after = right[:, trained - 1], right[:, -1]
        lost, won = int((before & ~after).sum()), int((~before & after).sum())
        change = (won - lost) / len(right)
        accuracy = float(before.double().mean())
        if -change > self.fall and lost - won >= self.fewest:
            return [
                self.finding(
                    "falls",
                    "warn",
                    f"accuracy falls from {accuracy:.1%} at {trained} segments, the depth of training, to "
                    f"{accuracy + change:.1%} at {self.deepest}: {lost} puzzles are lost and {won} won",
                    "give no more segments than in training, or train with more (`halting.max_segments`)",
                    observed=change,
                    threshold=-self.fall,
                    patch={"halting.max_segments": min(2 * trained, self.deepest)},
                )
            ]
        if accuracy < self.solved and won <= lost:
            return [
                self.finding(
                    "flat",
                    "info",
                    f"accuracy is {accuracy:.1%} at {trained} segments, the depth of training, and "
                    f"{accuracy + change:.1%} at {self.deepest}: more thinking buys nothing",
                    "do not pay for more segments; train with more of them, or longer",
                    observed=change,
                    threshold=0.0,
                )
            ]
        return []


def depths(deepest: int, trained: int) -> list[int]:
    """1, 2, 4, ..., the depth of training and the deepest."""
    powers = {2**power for power in range(deepest.bit_length())}
    return sorted({depth for depth in powers | {trained, deepest} if 1 <= depth <= deepest})
