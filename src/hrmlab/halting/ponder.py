"""PonderNet: a learned distribution of exits, held near a geometric one."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Memory, Outcome
from hrmlab.halting.exits import exit_probability, expected_loss, remember_survival, survival


@HALTING.register(source="Banino et al. 2021, arXiv 2107.05407")
@dataclass(frozen=True, kw_only=True)
class Ponder(HaltingConfig):
    """Halt at a quantile of a learned exit distribution; the expected loss and a KL to a geometric prior teach it.

    The KL decomposes exactly over segments: sum of S_n KL(Bernoulli(lambda_n) || Bernoulli(prior)). The head's second
    output predicts the loss to come (see `halting.exits`).

    Needs: the head's two outputs, taught by these losses, and the head once more on the state before; no second forward
    pass. Starts: head bias near logit(prior), -1.4 for 0.2 (`model.halting_head.bias`), not -5.
    Fails: by forgetting the puzzle where `beta` is large, by collapse onto the first or the last segment where it is
    too small.

    prior: mean of the geometric prior's exit probability; 1 / prior is the depth that it pulls to.
    beta: weight of the KL. A large one makes the depth the prior's, whatever the puzzle.
    quantile: of the exit distribution at which a sequence stops: near 1 in training (the paper cuts there), 0.5 for the
        median in inference, where the paper samples.
    """

    dial: ClassVar[str | None] = "quantile"
    kind: Literal["ponder"] = "ponder"
    prior: float = 0.2
    beta: float = 0.01
    quantile: float = 0.95
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("prior", "quantile"):
            if not 0 < getattr(self, name) < 1:
                raise ConfigError(f"ponder {name}={getattr(self, name)} came; wanted a probability between 0 and 1")

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
        prior = torch.full_like(stop, self.prior)
        kl = torch.where(last, 0.0, stop * (stop / prior).log() + (1 - stop) * ((1 - stop) / (1 - prior)).log())
        reached = survival(view)
        terms = {"expected": reached * expected, "kl": self.beta * reached * kl, "future": surprise}
        return {name: self.weight * term.sum() for name, term in terms.items()}
