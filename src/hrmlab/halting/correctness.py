"""TRM's halting: one value, the logit of "this answer is right"."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView
from hrmlab.halting.exploration import draw_first_allowed


@HALTING.register(source="Jolicoeur-Martineau 2025, arXiv 2510.04871")
@dataclass(frozen=True, kw_only=True)
class Correctness(HaltingConfig):
    """Halt when the predicted probability of a right answer passes a threshold; needs no second forward pass."""

    kind: Literal["correctness"] = "correctness"
    exploration: float = 0.1
    redraw: bool = False
    weight: float = 0.5
    threshold: float = 0.5

    @property
    def redraws(self) -> bool:
        return self.redraw

    def wants_to_halt(self, view: HaltingView) -> Tensor:
        if self.threshold == 0.5:  # exact where a sigmoid would round
            return view.values[:, 0] > 0
        return view.values[:, 0].sigmoid() > self.threshold

    def first_allowed(self, slots: int, generator: torch.Generator) -> Tensor:
        return draw_first_allowed(slots, self.exploration, self.max_segments, generator)

    def losses(self, view: HaltingView, correct: Tensor) -> dict[str, Tensor]:
        halt = view.values[:, 0]
        loss = F.binary_cross_entropy_with_logits(halt, correct.to(halt.dtype), reduction="sum")
        return {"q_halt": self.weight * loss}
