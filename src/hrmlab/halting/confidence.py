"""Stop when the answer is confident. Training-free: reads the answer's own probabilities."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from torch import Tensor

from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView


@HALTING.register(source="the usual early-exit criterion, e.g. Teerapittayanon et al. 2016, arXiv 1709.01686")
@dataclass(frozen=True, kw_only=True)
class Confidence(HaltingConfig):
    """Halt when the largest probability of a cell passes a threshold, for the `least` sure cell or their `mean`.

    Needs: nothing; any trained weights. Starts: pick the threshold by measurement (`hrm halting`).
    Fails: a model is often sure of wrong answers; the mean hides one undecided cell among many givens, the least waits
    for one cell that stays undecided.
    """

    dial: ClassVar[str | None] = "threshold"
    kind: Literal["confidence"] = "confidence"
    threshold: float = 0.9
    over: Literal["least", "mean"] = "least"

    def readiness(self, view: HaltingView) -> Tensor:
        top = view.logits.detach().float().softmax(-1).amax(-1)
        return top.amin(-1) if self.over == "least" else top.mean(-1)

    @property
    def cutoff(self) -> float:
        return self.threshold

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, threshold=cutoff)


@HALTING.register(source="margin sampling's criterion, turned into an exit")
@dataclass(frozen=True, kw_only=True)
class Margin(HaltingConfig):
    """Halt when a cell's two most probable symbols lie far enough apart, for the `least` sure cell or their `mean`.

    Differs from `confidence` where the rest of the probability is spread over many symbols; with two it is the same.

    Needs: nothing; any trained weights. Starts: pick the threshold by measurement (`hrm halting`).
    Fails: as `confidence`, where a model is sure of wrong answers.
    """

    dial: ClassVar[str | None] = "threshold"
    kind: Literal["margin"] = "margin"
    threshold: float = 0.8
    over: Literal["least", "mean"] = "least"

    def readiness(self, view: HaltingView) -> Tensor:
        two = view.logits.detach().float().softmax(-1).topk(2, dim=-1).values
        gap = two[..., 0] - two[..., 1]
        return gap.amin(-1) if self.over == "least" else gap.mean(-1)

    @property
    def cutoff(self) -> float:
        return self.threshold

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, threshold=cutoff)


@HALTING.register(source="BranchyNet, arXiv 1709.01686")
@dataclass(frozen=True, kw_only=True)
class Entropy(HaltingConfig):
    """Halt when the mean entropy of the cells, in nats, falls below a threshold.

    Needs: nothing; any trained weights. Starts: pick the threshold by measurement (`hrm halting`), for each task.
    Fails: as the mean over all cells its scale depends on the share of givens, and one undecided cell hides among them.
    """

    dial: ClassVar[str | None] = "threshold"
    kind: Literal["entropy"] = "entropy"
    threshold: float = 0.02

    def readiness(self, view: HaltingView) -> Tensor:
        log = view.logits.detach().float().log_softmax(-1)
        negative: Tensor = (log.exp() * log).sum(-1).mean(-1)
        return negative

    @property
    def cutoff(self) -> float:
        return -self.threshold

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, threshold=-cutoff)
