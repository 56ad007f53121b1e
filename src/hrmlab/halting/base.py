"""The halting protocol: a policy says after each segment which slots stop, and what its own head should learn.

Training and evaluation both name a policy; none looks at `model.training`. A policy is its own configuration, and is
pure: tensors in, tensors out.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.registry import Part, Registry

HALTING = Registry("halting")


@dataclass(frozen=True)
class HaltingView:
    """What a policy may look at after a segment.

    steps: segments done, this one included, (B,) integers.
    values: the halting head's outputs, (B, 2) float32: logits of "halt" and "continue".
    ahead: the same after one segment more, without gradient; only for policies with `looks_ahead`.
    """

    steps: Tensor
    values: Tensor
    ahead: Tensor | None = None


@dataclass(frozen=True, kw_only=True)
class HaltingConfig(Part, ABC):
    """Base of all halting policies.

    max_segments: every slot stops after that many.
    restart_every: in inference, a puzzle that has not halted after so many segments begins again from initial states
        drawn at random, and so on until its segments are used up (random starts: EqR; noise and many tries: PTRM, arXiv
        2605.19943). Training takes no notice.
    """

    registry: ClassVar[Registry] = HALTING
    kind: str
    max_segments: int = 16
    restart_every: int | None = None

    def __post_init__(self) -> None:
        for name in ("max_segments", "restart_every"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"halting.{name}={value} came; wanted 1 or more")

    @property
    def redraws(self) -> bool:
        """Whether `first_allowed` is drawn anew before every segment, as the reference does, against its paper."""
        return False

    @property
    def looks_ahead(self) -> bool:
        """Whether the losses need the head's outputs after one more segment (a second forward pass)."""
        return False

    @abstractmethod
    def wants_to_halt(self, view: HaltingView) -> Tensor:
        """(B,) booleans, before the limits on the number of segments are applied."""

    def first_allowed(self, slots: int, generator: torch.Generator) -> Tensor:
        """The segment from which each newly filled slot may halt, (slots,) on the CPU; drawn once for each sequence."""
        return torch.ones(slots, dtype=torch.int32)

    def halted(self, view: HaltingView, first_allowed: Tensor) -> Tensor:
        """(B,) booleans: which slots stop now."""
        return (self.wants_to_halt(view) & (view.steps >= first_allowed)) | self.last(view)

    def last(self, view: HaltingView) -> Tensor:
        """(B,) booleans: which slots have used up their segments."""
        return view.steps >= self.max_segments

    def losses(self, view: HaltingView, correct: Tensor) -> dict[str, Tensor]:
        """The head's losses by name, summed over the batch, already weighted; none for a policy that learns nothing.

        Args:
            correct: (B,) booleans, whether the answer given now is wholly right.
        """
        return {}
