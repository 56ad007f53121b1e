"""Graves' adaptive computation time: halting shares that add up to one, a blended answer, a price on pondering."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Memory, Outcome


@HALTING.register(source="Graves 2016, arXiv 1603.08983; pitfalls measured in arXiv 2604.21999")
@dataclass(frozen=True, kw_only=True)
class GravesACT(HaltingConfig):
    """Halt when the shares h_1 + ... + h_n reach 1 - epsilon; the answer is the mean of the answers, by their shares.

    The last segment gets the remainder R = 1 - sum of the others. Ponder cost: tau (N + R), whose gradient goes through
    R: -tau for each share before the last. The mean's loss is bounded by the shares' mean of losses, sum of p_n L_n. A
    larger share takes from the remainder alone, so its gradient is L_n - L_N; as in `halting.exits` the last loss L_N
    enters as a prediction, the head's second output, learned from the sequence's own next segment.

    Needs: the head's two outputs, taught by these losses, and the head once more on the state before; no second forward
    pass. Starts: head bias -3 (`model.halting_head.bias=-3`); 0 or more traps most runs at two segments, and -5 hardly
    ever stops.
    Fails: depth follows `tau` more than the puzzle, and good values differ by orders of magnitude between tasks; the
    blended answer is worse than the last one where early answers were wrong and sure.

    tau: price of pondering.
    """

    dial: ClassVar[str | None] = "epsilon"
    kind: Literal["graves_act"] = "graves_act"
    epsilon: float = 0.01
    tau: float = 0.01
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.epsilon < 1:
            raise ConfigError(f"graves_act epsilon={self.epsilon} came; wanted a share between 0 and 1")

    @property
    def looks_back(self) -> bool:
        return True

    def readiness(self, view: HaltingView) -> Tensor:
        return (self._spent(view) + view.values[:, 0].sigmoid()).detach()

    @property
    def cutoff(self) -> float:
        return 1 - self.epsilon

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, epsilon=1 - cutoff)

    def remember(self, view: HaltingView) -> Memory:
        share, answer = self._share(view), view.logits.detach().float().softmax(-1)
        blend = view.recall("blend", torch.zeros_like(answer))
        return {
            "spent": (self._spent(view) + share).detach(),
            "blend": blend + share.detach()[:, None, None] * answer,
        }

    def answer(self, view: HaltingView) -> Tensor:
        """Logarithm of the blended probabilities, the remainder on the present ones."""
        rest = (1 - self._spent(view)).detach()[:, None, None]
        now = view.logits.detach().float().softmax(-1)
        return (view.recall("blend", torch.zeros_like(now)) + rest * now).clamp_min(1e-30).log()

    def _spent(self, view: HaltingView) -> Tensor:
        """(B,) shares given away before this segment."""
        return view.recall("spent", torch.zeros_like(view.values[:, 0]))

    def _share(self, view: HaltingView) -> Tensor:
        """h_n, (B,): never more than what is left."""
        return torch.minimum(view.values[:, 0].sigmoid(), 1 - self._spent(view))

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        ends = self.wants_to_halt(view) | self.last(view)
        left = 1 - self._spent(view)
        share = torch.where(ends, left, self._share(view))
        future = view.values[:, 1].detach()
        expected = share * outcome.loss + (left - share) * future
        ponder = torch.where(ends, 0.0, -self.tau * share) + self.tau  # N grows by one, R shrinks by the share
        terms = {"expected": expected, "ponder": ponder}
        if view.earlier is not None:
            target = torch.where(ends, outcome.loss, future)
            surprise = F.smooth_l1_loss(view.earlier[:, 1], target, reduction="none")
            terms["future"] = torch.where(view.begins, 0.0, surprise)
        return {name: self.weight * term.sum() for name, term in terms.items()}
