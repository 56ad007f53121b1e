"""Stop when the answer no longer changes from segment to segment. Training-free."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Memory


@HALTING.register(source="PABEE, Zhou et al. 2020, arXiv 2006.04152")
@dataclass(frozen=True, kw_only=True)
class AnswerStability(HaltingConfig):
    """Halt when the decoded grid has not changed for `patience` segments.

    Needs: nothing; any trained weights; keeps a grid a slot. Starts: patience 1 on small boards, more where a model
    pauses.
    Fails: on plateaus, where a model rests on a wrong grid before it goes on. Cannot stop before segment
    `patience` + 1, and never where the answer circles.
    """

    dial: ClassVar[str | None] = "patience"
    kind: Literal["answer_stability"] = "answer_stability"
    patience: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patience < 1:
            raise ConfigError(f"answer_stability patience={self.patience} came; wanted 1 or more")

    def readiness(self, view: HaltingView) -> Tensor:
        return self._unchanged(view).float()

    @property
    def cutoff(self) -> float:
        return self.patience - 0.5

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, patience=max(math.floor(cutoff) + 1, 1))

    def remember(self, view: HaltingView) -> Memory:
        return {"grid": view.logits.detach().argmax(-1), "unchanged": self._unchanged(view)}

    def _unchanged(self, view: HaltingView) -> Tensor:
        """(B,) segments for which the grid has been what it is now."""
        grid = view.logits.detach().argmax(-1)
        same = (view.recall("grid", torch.full_like(grid, -1)) == grid).all(-1)
        return torch.where(same, view.recall("unchanged", torch.zeros_like(view.steps)) + 1, 0)


@HALTING.register(source="the zero-shot exit of Geiping et al. 2025, arXiv 2502.05171")
@dataclass(frozen=True, kw_only=True)
class KLStability(HaltingConfig):
    """Halt when the cells' mean KL divergence from the segment before falls below a threshold, in nats.

    Softer than `answer_stability`: a grid may stand still while probabilities still move.

    Needs: nothing; any trained weights; keeps the log probabilities of every slot. Starts: Huginn's 5e-4 is for the
    words of a language; pick the threshold by measurement (`hrm halting`).
    Fails: on plateaus, and where the sure cells of a large board hide one that still moves. Cannot stop before
    segment 2.
    """

    dial: ClassVar[str | None] = "threshold"
    kind: Literal["kl_stability"] = "kl_stability"
    threshold: float = 1e-3

    def readiness(self, view: HaltingView) -> Tensor:
        now = view.logits.detach().float().log_softmax(-1)
        before = view.memory.get("log")
        if before is None:
            return torch.full_like(view.steps, -torch.inf, dtype=torch.float32)
        divergence = (now.exp() * (now - before)).sum(-1).mean(-1)
        return torch.where(view.begins, -torch.inf, -divergence)

    @property
    def cutoff(self) -> float:
        return -self.threshold

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, threshold=-cutoff)

    def remember(self, view: HaltingView) -> Memory:
        return {"log": view.logits.detach().float().log_softmax(-1)}
