"""The loss protocol: logits and labels to one number a token."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from hrmlab.registry import Part, Registry

LOSSES = Registry("loss")
IGNORE = -100
"""Label of cells that are not scored."""


class LossConfig(Part, ABC):
    """Base of all token losses; a loss is its own configuration."""

    registry: ClassVar[Registry] = LOSSES
    kind: str

    @abstractmethod
    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Logits (B, N, V) and labels (B, N) -> losses (B, N) in float32 or more, 0 where the label is -100."""
