"""A depth foretold from the puzzle alone, before any reasoning."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Outcome


@HALTING.register(source="hrm-lab; after the learned budgets of MoR, arXiv 2507.10524, and T(n), arXiv 2409.15647")
@dataclass(frozen=True, kw_only=True)
class DepthBudget(HaltingConfig):
    """Halt where a model of the input expects a right answer: P(right after n segments) = sigmoid(s (ln n - ln d)).

    Depth d = exp(values[0]) and slope s = softplus(values[1]) come from the puzzle. Learned at every segment from
    whether the answer was right then, by binary cross-entropy; training runs every sequence to `max_segments`. Cheap,
    and known before the first segment, so that work can be planned.

    Needs: the head's two outputs, read from the input (`model.halting_head.readout=input`). Starts: head bias 1
    (`model.halting_head.bias=1`), a depth of e segments.
    Fails: blind to how the reasoning goes, so puzzles that look alike get the same depth; what a head linear in the
    mean input cannot see of difficulty it cannot foretell.

    threshold: the expected probability at which a sequence stops, in inference; 1 in training, to see all depths.
    """

    dial: ClassVar[str | None] = "threshold"
    kind: Literal["budget"] = "budget"
    threshold: float = 1.0
    weight: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.threshold <= 1:
            raise ConfigError(f"budget threshold={self.threshold} came; wanted a probability, over 0 and at most 1")

    def readiness(self, view: HaltingView) -> Tensor:
        depth, slope = view.values.unbind(-1)
        return F.softplus(slope) * (view.steps.to(depth.dtype).log() - depth)

    @property
    def cutoff(self) -> float:
        return math.inf if self.threshold == 1 else math.log(self.threshold / (1 - self.threshold))

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, threshold=1 / (1 + math.exp(min(-cutoff, 700.0))))

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        expected = self.readiness(view)
        right = outcome.correct.to(expected.dtype)
        return {"depth": self.weight * F.binary_cross_entropy_with_logits(expected, right, reduction="sum")}
