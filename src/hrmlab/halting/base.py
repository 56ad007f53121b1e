"""The halting protocol: a policy says after each segment which slots stop, and what its own head should learn.

Training and evaluation both name a policy; none looks at `model.training`. A policy is its own configuration, and is
pure: tensors in, tensors out. What it must remember of a slot's past goes through `remember`, into the carry.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.registry import Part, Registry

HALTING = Registry("halting")

Memory = Mapping[str, Tensor]
"""What a policy keeps of each slot, by name, (B, ...). Stale where `steps` is 1: the slot began a new puzzle."""

Check = Callable[[npt.NDArray[Any], npt.NDArray[Any]], npt.NDArray[np.bool_]]
"""Whether answers obey the task's rules: inputs (B, N), answers (B, N) -> (B,); a task's `valid`."""


@dataclass(frozen=True)
class Glimpse:
    """What one segment more would give, without gradient. values: of the halting head, (B, 2)."""

    values: Tensor


@dataclass(frozen=True, kw_only=True)
class HaltingView:
    """What a policy may look at after a segment.

    steps: segments done, this one included, (B,) integers.
    values: the halting head's outputs, (B, 2) float32: logits of "halt" and "continue", or what a policy makes of them.
    logits: of the answer, (B, N, V).
    state, before: the answer level's state after and before the segment, (B, N, W) or (B, N, S, W).
    inputs: token ids of the puzzles, (B, N).
    memory: what the policy remembered after the segment before.
    ahead: one segment further, only for policies that look ahead, while gradients are recorded.
    earlier: the head's outputs on `before`, (B, 2), with gradient into the head alone; for policies that look back.
    check: the task's rules, where the caller knows the task.
    """

    steps: Tensor
    values: Tensor
    logits: Tensor
    state: Tensor
    before: Tensor
    inputs: Tensor
    memory: Memory = field(default_factory=dict)
    ahead: Glimpse | None = None
    earlier: Tensor | None = None
    check: Check | None = None

    @property
    def begins(self) -> Tensor:
        """(B,) booleans: slots whose first segment this was, so that `memory` says nothing about them."""
        return self.steps <= 1

    def recall(self, name: str, start: Tensor) -> Tensor:
        """What `memory` holds under a name, `start` (broadcastable) for slots that begin."""
        held = self.memory.get(name)
        if held is None:
            return start
        return torch.where(self.begins.view(-1, *(1,) * (held.ndim - 1)), start.to(held.dtype), held)


@dataclass(frozen=True)
class Outcome:
    """How right the answer is, without gradient.

    correct: (B,) booleans, wholly right.
    loss: (B,) mean token loss.
    """

    correct: Tensor
    loss: Tensor


@dataclass(frozen=True, kw_only=True)
class HaltingConfig(Part, ABC):
    """Base of all halting policies. The usual one compares its `readiness` with its `cutoff`.

    max_segments: every slot stops after that many.
    min_segments: no slot stops before that many.
    restart_every: in inference, a puzzle that has not halted after so many segments begins again from initial states
        drawn at random, and so on until its segments are used up (random starts: EqR; noise and many tries: PTRM, arXiv
        2605.19943). Training takes no notice.
    """

    registry: ClassVar[Registry] = HALTING
    independent: ClassVar[bool] = True
    """Whether a slot's decision depends on that slot alone."""
    dial: ClassVar[str | None] = None
    """The field that trades accuracy for segments, for rules that have one: usually it moves the cutoff."""
    steers: ClassVar[bool] = False
    """Whether it changes what is computed (`damping`), so that it cannot look on beside other rules."""
    predicts_right: ClassVar[bool] = False
    """Whether the head that it teaches gives, as its first value, the logit of a right answer."""
    kind: str
    max_segments: int = 16
    min_segments: int = 1
    restart_every: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_segments", "min_segments", "restart_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"halting.{name}={value} came; wanted 1 or more")

    @property
    def redraws(self) -> bool:
        """Whether `first_allowed` is drawn anew before every segment, as the reference does, against its paper."""
        return False

    @property
    def looks_back(self) -> bool:
        """Whether the losses need the head's outputs on the state before the segment (`HaltingView.earlier`)."""
        return False

    def looks_ahead(self, step: int) -> bool:
        """Whether the losses of this optimiser step need one segment more (a second forward pass)."""
        return False

    @property
    def cutoff(self) -> float:
        """The `readiness` above which a slot halts; infinite for policies that do not go by it."""
        return math.inf

    def at(self, cutoff: float) -> "HaltingConfig | None":
        """This rule with its `dial` set so that it stops over another cutoff; None for a rule without one."""
        return None

    @abstractmethod
    def readiness(self, view: HaltingView) -> Tensor:
        """(B,) float32: how much speaks for stopping now. One number per slot, so that rules can be compared, swept and
        ranked; only its order and the cutoff count."""

    def wants_to_halt(self, view: HaltingView) -> Tensor:
        """(B,) booleans, before the limits on the number of segments are applied."""
        return self.readiness(view) > self.cutoff

    def remember(self, view: HaltingView) -> Memory:
        """What the policy wants to see again after the next segment."""
        return {}

    def damping(self, view: HaltingView) -> Tensor | None:
        """(B,) in (0, 1]: the share of the way from the old states to the new that is gone; None for all of it."""
        return None

    def answer(self, view: HaltingView) -> Tensor:
        """Logits of what is answered if the slot stops now, (B, N, V)."""
        return view.logits

    def first_allowed(self, slots: int, generator: torch.Generator | None) -> Tensor:
        """The segment from which each newly filled slot may halt, (slots,) int32 on the CPU; drawn once a sequence.

        Args:
            generator: None in inference, where nothing explores.
        """
        return torch.ones(slots, dtype=torch.int32)

    def halted(self, view: HaltingView, first_allowed: Tensor) -> Tensor:
        """(B,) booleans: which slots stop now."""
        return self.chooses(view, first_allowed) | self.last(view)

    def chooses(self, view: HaltingView, first_allowed: Tensor) -> Tensor:
        """(B,) booleans: which slots stop because the policy says so."""
        allowed = view.steps >= first_allowed.clamp_min(self.min_segments)
        return self.wants_to_halt(view) & allowed

    def last(self, view: HaltingView) -> Tensor:
        """(B,) booleans: which slots have used up their segments."""
        return view.steps >= self.max_segments

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        """The head's losses by name, summed over the batch, already weighted; none for a policy that learns nothing."""
        return {}
