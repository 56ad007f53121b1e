"""Ouro's gate: a learned distribution of exits, kept wide by its entropy."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Memory, Outcome
from hrmlab.halting.exits import exit_probability, expected_loss, remember_survival, survival


@HALTING.register(source="Ouro, arXiv 2510.25741")
@dataclass(frozen=True, kw_only=True)
class ExitDistribution(HaltingConfig):
    """Halt when the cumulative exit probability passes a quantile; learned from the expected loss minus an entropy.

    The entropy decomposes over segments: sum of S_n H(Bernoulli(lambda_n)). Unlike `ponder` it favours no depth. The
    head's second output predicts the loss to come (see `halting.exits`).

    Needs: the head's two outputs, taught by these losses, and the head once more on the state before; no second forward
    pass. Starts: head bias 0, where the entropy is largest, or below (`model.halting_head.bias`).
    Fails: by collapse onto the first or the last segment where `beta` is too small for the scale of the loss, by
    lambdas near one half, whatever the puzzle, where it is too large.

    beta: weight of the entropy.
    quantile: near 1 in training, so that late segments are seen; the dial of depth in inference.
    """

    dial: ClassVar[str | None] = "quantile"
    kind: Literal["exit_distribution"] = "exit_distribution"
    beta: float = 0.05
    quantile: float = 0.95
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.quantile < 1:
            raise ConfigError(f"exit_distribution quantile={self.quantile} came; wanted a share between 0 and 1")

    @property
    def looks_back(self) -> bool:
        return True

    def readiness(self, view: HaltingView) -> Tensor:
        return 1 - remember_survival(view)["survival"]

    @property
    def cutoff(self) -> float:
        return self.quantile

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, quantile=cutoff)

    def remember(self, view: HaltingView) -> Memory:
        return remember_survival(view)

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        last = self.last(view)
        expected, surprise = expected_loss(view, outcome, last)
        stop = exit_probability(view, last).clamp(1e-6, 1 - 1e-6)
        entropy = -(torch.special.xlogy(stop, stop) + torch.special.xlogy(1 - stop, 1 - stop))
        lack = torch.where(last, 0.0, torch.log(torch.tensor(2.0)) - entropy)
        reached = survival(view)
        terms = {"expected": reached * expected, "narrowness": self.beta * reached * lack, "future": surprise}
        return {name: self.weight * term.sum() for name, term in terms.items()}
