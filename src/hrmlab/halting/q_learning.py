"""HRM's halting: two Q-values, learned from the answer's correctness and from the next segment's values."""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Outcome
from hrmlab.halting.exploration import draw_first_allowed


@HALTING.register(source="Wang et al. 2025, arXiv 2506.21734, section 2")
@dataclass(frozen=True, kw_only=True)
class QLearning(HaltingConfig):
    """Halt when Q(halt) > Q(continue).

    Target of Q(halt): the answer is right. Target of Q(continue): the better of the next segment's values, or its
    Q(halt) where no segment may follow. Both are logits trained by binary cross-entropy.

    Needs: the head's two outputs, and with `bellman="next"` a second forward pass in training. Starts: head bias -5 for
    both (`model.halting_head.bias`), so that neither is promised anything; what it reads is
    `model.halting_head.readout`: "first" is the paper's, "mean" and "attention" see every cell.
    Fails: Q(continue) learns from its own estimates and lags behind; with rare right answers both stay low and their
    order is noise, so that nobody halts, or everyone does.

    bellman: "next" runs a segment more, without gradient, to see the next values: exact, and more than a third of a
        training step. "trajectory" waits for the sequence's own next segment and corrects the head alone, on the state
        that it saw: no second forward pass, but Q(continue) no longer shapes the states.
    target_every: with "next", optimiser steps between such looks ahead; Q(continue) learns on those alone.
    weight: of both losses; more of it shapes the states towards telling right from wrong, at the answer's cost.
    continue_weight: of the loss of Q(continue), if another; 0 leaves Q(continue) at its start, and halting to
        Q(halt) > bias.
    margin: how much more Q(halt) must promise; over 0 stops later and surer, below 0 earlier.
    exploration: share of sequences that must go on for a drawn number of segments; without it a model is not trained
        beyond the segment at which it first halts.
    redraw: draw those anew before every segment, as the reference does; sequences then explore less far.
    """

    dial: ClassVar[str | None] = "margin"
    predicts_right: ClassVar[bool] = True
    kind: Literal["q_learning"] = "q_learning"
    exploration: float = 0.1
    redraw: bool = False
    weight: float = 0.5
    continue_weight: float | None = None
    margin: float = 0.0
    bellman: Literal["next", "trajectory"] = "next"
    target_every: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target_every < 1:
            raise ConfigError(f"q_learning target_every={self.target_every} came; wanted 1 or more")

    @property
    def redraws(self) -> bool:
        return self.redraw

    @property
    def looks_back(self) -> bool:
        return self.bellman == "trajectory" and self.max_segments > 1

    def looks_ahead(self, step: int) -> bool:
        return self.bellman == "next" and self.max_segments > 1 and step % self.target_every == 0

    def readiness(self, view: HaltingView) -> Tensor:
        return view.values[:, 0] - view.values[:, 1]

    @property
    def cutoff(self) -> float:
        return self.margin

    def at(self, cutoff: float) -> HaltingConfig:
        return replace(self, margin=cutoff)

    def wants_to_halt(self, view: HaltingView) -> Tensor:
        if not self.margin:
            return view.values[:, 0] > view.values[:, 1]  # the difference may round to zero
        return super().wants_to_halt(view)

    def first_allowed(self, slots: int, generator: torch.Generator | None) -> Tensor:
        return draw_first_allowed(slots, self.exploration, self.max_segments, generator)

    def continue_target(self, view: HaltingView) -> Tensor:
        """(B,) probabilities that Q(continue) should give."""
        assert view.ahead is not None, "q_learning needs the values of the next segment"
        halt, go_on = view.ahead.values.unbind(dim=-1)
        return torch.where(self.last(view), halt, torch.maximum(halt, go_on)).sigmoid()

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        halt, go_on = view.values.unbind(dim=-1)
        terms = {"q_halt": _bce(halt, outcome.correct.to(halt.dtype)).sum()}
        if view.ahead is not None:
            terms["q_continue"] = _bce(go_on, self.continue_target(view)).sum()
        elif view.earlier is not None:
            better = torch.where(self.last(view), halt, torch.maximum(halt, go_on)).detach().sigmoid()
            terms["q_continue"] = torch.where(view.begins, 0.0, _bce(view.earlier[:, 1], better)).sum()
        go_on_weight = self.weight if self.continue_weight is None else self.continue_weight
        weights = {"q_halt": self.weight, "q_continue": go_on_weight}
        return {name: weights[name] * term for name, term in terms.items()}


def _bce(logits: Tensor, targets: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
