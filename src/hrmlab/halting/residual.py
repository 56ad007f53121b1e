"""Stop when the state has come to rest: a fixed point. Training-free."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Memory


def residual(view: HaltingView, norm: Literal["l2", "max"]) -> Tensor:
    """(B,) change of the answer level's state in this segment, relative to the state: |z - z'| / |z|."""
    now, before = view.state.detach().float().flatten(1), view.before.detach().float().flatten(1)
    order = 2.0 if norm == "l2" else torch.inf
    change = torch.linalg.vector_norm(now - before, order, dim=-1)
    relative: Tensor = change / torch.linalg.vector_norm(now, order, dim=-1).clamp_min(1e-12)
    return relative


@HALTING.register(source="FPRM (threshold 0.1, largest component); EqR selects by the same number")
@dataclass(frozen=True, kw_only=True)
class Residual(HaltingConfig):
    """Halt when the relative change of the state in a segment falls below `tau`.

    Needs: nothing; best after training for fixed points. Starts: FPRM's 0.1 is for such weights; others may not come
    below 0.5, so pick `tau` by measurement (`hrm halting`).
    Fails: where states move on along directions that the answer does not read, or circle, it never stops; where they
    rest on a wrong answer it stops there.
    """

    dial: ClassVar[str | None] = "tau"
    kind: Literal["residual"] = "residual"
    tau: float = 0.1
    norm: Literal["l2", "max"] = "max"

    def readiness(self, view: HaltingView) -> Tensor:
        return -residual(view, self.norm)

    @property
    def cutoff(self) -> float:
        return -self.tau

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, tau=-cutoff)


@HALTING.register(source="FPOpt, arXiv 2606.18206")
@dataclass(frozen=True, kw_only=True)
class DampedResidual(HaltingConfig):
    """As `residual`, and after every `patience` segments without a smaller one the steps get shorter by `decay`.

    A damped state goes only the share eta of the way to its new value, which ends circling; eta starts at 1.

    Needs: nothing; best after training for fixed points; keeps three numbers a slot. Starts: decay 0.95 to 0.997,
    patience 5 to 10, and a limit of segments that leaves room for them.
    Fails: it changes what is computed, so its accuracies are not those of the other rules at the same depth; small
    steps look like rest, and a damped state may be stopped on its way.
    """

    dial: ClassVar[str | None] = "tau"
    steers: ClassVar[bool] = True
    kind: Literal["damped_residual"] = "damped_residual"
    tau: float = 0.1
    norm: Literal["l2", "max"] = "max"
    patience: int = 5
    decay: float = 0.95

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.patience < 1:
            raise ConfigError(f"damped_residual patience={self.patience} came; wanted 1 or more")
        if not 0 < self.decay <= 1:
            raise ConfigError(f"damped_residual decay={self.decay} came; wanted a factor, over 0 and at most 1")

    def readiness(self, view: HaltingView) -> Tensor:
        return -residual(view, self.norm)

    @property
    def cutoff(self) -> float:
        return -self.tau

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, tau=-cutoff)

    def damping(self, view: HaltingView) -> Tensor:
        return self.remember(view)["eta"]

    def remember(self, view: HaltingView) -> Memory:
        now = residual(view, self.norm)
        best = view.recall("best", torch.full_like(now, torch.inf))
        waited = torch.where(now < best, 0, view.recall("waited", torch.zeros_like(view.steps)) + 1)
        eta = view.recall("eta", torch.ones_like(now))
        tired = waited >= self.patience
        return {
            "best": torch.minimum(now, best),
            "waited": torch.where(tired, 0, waited),
            "eta": torch.where(tired, eta * self.decay, eta),
        }
