"""TRM's halting: one value, the logit of "this answer is right"."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Outcome
from hrmlab.halting.exploration import draw_first_allowed


@HALTING.register(source="Jolicoeur-Martineau 2025, arXiv 2510.04871")
@dataclass(frozen=True, kw_only=True)
class Correctness(HaltingConfig):
    """Halt when the predicted probability of a right answer passes a threshold.

    Needs: the head's first output, taught by these losses; no second forward pass. Starts: head bias -5, "never right".
    Fails: the head is over-confident on hard puzzles, so the training's 0.5 stops early there and inference wants a
    threshold of its own (`hrm halting tune`); from states that it was not trained on it may be sure of anything.

    exploration: share of training sequences that must run for a drawn number of segments; below about 0.05 a model is
        never trained beyond its own solutions and may drift away from them when it is run for longer.
    """

    dial: ClassVar[str | None] = "threshold"
    predicts_right: ClassVar[bool] = True
    kind: Literal["correctness"] = "correctness"
    exploration: float = 0.1
    redraw: bool = False
    weight: float = 0.5
    threshold: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.threshold <= 1:
            raise ConfigError(f"correctness threshold={self.threshold} came; wanted a probability, 0 to 1")

    @property
    def redraws(self) -> bool:
        return self.redraw

    def readiness(self, view: HaltingView) -> Tensor:
        return view.values[:, 0]

    @property
    def cutoff(self) -> float:
        """The threshold as a logit, which is exact where a sigmoid would round."""
        if self.threshold in (0.0, 1.0):
            return math.copysign(math.inf, self.threshold - 0.5)
        return math.log(self.threshold / (1 - self.threshold))

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, threshold=1 / (1 + math.exp(min(-cutoff, 700.0))))

    def first_allowed(self, slots: int, generator: torch.Generator | None) -> Tensor:
        return draw_first_allowed(slots, self.exploration, self.max_segments, generator)

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        halt = view.values[:, 0]
        loss = F.binary_cross_entropy_with_logits(halt, outcome.correct.to(halt.dtype), reduction="sum")
        return {"q_halt": self.weight * loss}
