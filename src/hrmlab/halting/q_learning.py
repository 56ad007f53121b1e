"""HRM's halting: two Q-values, learned from the answer's correctness and from the next segment's values."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView
from hrmlab.halting.exploration import draw_first_allowed


@HALTING.register(source="Wang et al. 2025, arXiv 2506.21734, section 2")
@dataclass(frozen=True, kw_only=True)
class QLearning(HaltingConfig):
    """Halt when Q(halt) > Q(continue); costs a second forward pass in training for the target of Q(continue).

    Target of Q(halt): the answer is right. Target of Q(continue): the better of the next segment's values, or its
    Q(halt) where no segment may follow. Both are logits trained by binary cross-entropy.
    """

    kind: Literal["q_learning"] = "q_learning"
    exploration: float = 0.1
    redraw: bool = False
    weight: float = 0.5

    @property
    def redraws(self) -> bool:
        return self.redraw

    @property
    def looks_ahead(self) -> bool:
        return self.max_segments > 1

    def wants_to_halt(self, view: HaltingView) -> Tensor:
        return view.values[:, 0] > view.values[:, 1]

    def first_allowed(self, slots: int, generator: torch.Generator) -> Tensor:
        return draw_first_allowed(slots, self.exploration, self.max_segments, generator)

    def continue_target(self, view: HaltingView) -> Tensor:
        """(B,) probabilities that Q(continue) should give."""
        assert view.ahead is not None, "q_learning needs the values of the next segment"
        halt, go_on = view.ahead.unbind(dim=-1)
        return torch.where(self.last(view), halt, torch.maximum(halt, go_on)).sigmoid()

    def losses(self, view: HaltingView, correct: Tensor) -> dict[str, Tensor]:
        halt, go_on = view.values.unbind(dim=-1)
        terms = {"q_halt": _bce(halt, correct.to(halt.dtype))}
        if view.ahead is not None:
            terms["q_continue"] = _bce(go_on, self.continue_target(view))
        return {name: self.weight * term for name, term in terms.items()}


def _bce(logits: Tensor, targets: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum")
