"""What counts as divergence, and what a run does then: end, leave the step out, or go back to its last checkpoint."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.registry import Strict
from hrmlab.training.ranks import ALONE, Ranks


@dataclass(frozen=True, kw_only=True)
class GuardConfig(Strict):
    """What a run does when it diverges.

    action: `stop` ends the run. `skip` leaves the step out: no weight changes, and the puzzles at work are given up, as
        their states are no longer numbers. `roll_back` goes on from the last checkpoint at `rate` times the learning
        rates. Both others look at every loss and gradient before it is used, which on a GPU waits for it.
    spike: standard deviations above its mean of late beyond which a loss counts as divergence; None: only a loss or a
        gradient that is no number does.
    memory: steps of that mean, which decays exponentially; nothing is judged before so many.
    rate: of each roll back.
    most: steps left out one after another, or roll backs of one run, before it ends all the same.
    """

    action: Literal["stop", "skip", "roll_back"] = "stop"
    spike: float | None = None
    memory: int = 100
    rate: float = 0.5
    most: int = 5

    def __post_init__(self) -> None:
        if self.spike is not None and not self.spike > 0:
            raise ConfigError(f"training.guard.spike={self.spike}; wanted a number above 0, e.g. 6, or null")
        if self.memory < 2 or self.most < 1 or not 0 < self.rate <= 1:
            raise ConfigError(
                f"training.guard: memory={self.memory}, most={self.most}, rate={self.rate}; wanted memory of 2 or "
                "more, most of 1 or more, rate above 0 and at most 1"
            )


class Guard:
    """Looks at each step before its gradient is used.

    why: of the step just taken, if it diverged. skipped: steps left out in succession. rolled_back: times.
    """

    def __init__(self, config: GuardConfig) -> None:
        self.config = config
        self.why: str | None = None
        self.skipped = self.rolled_back = 0
        self._seen, self._mean, self._variance = 0, 0.0, 0.0

    @property
    def watching(self) -> bool:
        """Whether steps are looked at one by one; else a loss that is no number is noticed when it is logged."""
        return self.config.action != "stop" or self.config.spike is not None

    def admits(self, loss: Tensor, gradients: Iterable[Tensor], ranks: Ranks = ALONE) -> bool:
        """Whether a step may be taken; says why not in `why`.

        Args:
            loss: (), of the step. gradients: of all that it would change. ranks: whose losses make up the step's.
        """
        if not self.watching:
            return True
        norm = torch.nn.utils.get_total_norm(list(gradients))
        found = torch.stack([loss.detach().float(), norm.to(loss.device).float()])
        value, length = ranks.sum(found).tolist()
        self.why = self._wrong(value, length)
        if self.why is None:
            self.skipped = 0
            self._remember(value)
        elif self.config.action == "skip":
            self.skipped += 1
        return self.why is None

    def _wrong(self, loss: float, norm: float) -> str | None:
        if not math.isfinite(loss):
            return f"the loss became {loss}"
        if not math.isfinite(norm):
            return f"the gradient became {norm}"
        spike = self.config.spike
        if spike is None or self._seen < self.config.memory:
            return None
        score = (loss - self._mean) / max(math.sqrt(self._variance), 1e-12)
        return f"the loss is {loss:.4g}, {score:.1f} deviations above its mean of late" if score > spike else None

    def _remember(self, loss: float) -> None:
        """Mean and variance; while fewer steps were seen than the memory holds, of all of them."""
        self._seen += 1
        share = 1 / min(self._seen, self.config.memory)
        before = loss - self._mean
        self._mean += share * before
        self._variance = (1 - share) * (self._variance + share * before**2)

    def state(self) -> dict[str, float]:
        """What a checkpoint keeps."""
        return {
            "skipped": self.skipped, "rolled_back": self.rolled_back,
            "seen": self._seen, "mean": self._mean, "variance": self._variance,
        }  # fmt: skip

    def restore(self, state: dict[str, float]) -> None:
        """As it was."""
        self.skipped, self.rolled_back, self._seen = (int(state[k]) for k in ("skipped", "rolled_back", "seen"))
        self._mean, self._variance, self.why = state["mean"], state["variance"], None
