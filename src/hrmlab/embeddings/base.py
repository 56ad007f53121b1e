"""The embedding protocol: tokens in, states out, and logits read back from states.

An embedding and its answer head belong together: both know whether a state stands for a cell or for a cell and a
symbol.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from hrmlab.embeddings.positions import NoPositions, PositionsConfig
from hrmlab.registry import Part, Registry
from hrmlab.spec import TaskSpec

EMBEDDINGS = Registry("embedding")


class Embedding(nn.Module, ABC):
    """Base of all embeddings.

    slots: leading positions that hold the puzzle embedding.
    symbol_axis: whether states are (B, N, S, W) rather than (B, N, W).
    """

    slots: int = 0
    symbol_axis: bool = False

    @abstractmethod
    def forward(self, tokens: Tensor, puzzle: Tensor | None) -> Tensor:
        """Tokens (B, seq_len) and looked-up puzzle vectors (B, P) or None -> the input that updates add."""

    @abstractmethod
    def logits(self, state: Tensor) -> Tensor:
        """The answer level's state -> (B, seq_len, vocab_size)."""


class EmbeddingConfig(Part, ABC):
    """Base of all embedding kinds."""

    registry: ClassVar[Registry] = EMBEDDINGS
    kind: str

    @abstractmethod
    def build(self, request: "EmbeddingRequest") -> Embedding:
        """Raises ConfigError if the task or the other parts do not allow this embedding."""


@dataclass(frozen=True)
class EmbeddingRequest:
    """What an embedding is built from: the width, the data's facts, the puzzle vector and the kind of positions."""

    width: int
    spec: TaskSpec
    puzzle_width: int = 0
    slots: int = 0
    positions: PositionsConfig = NoPositions()  # noqa: RUF009 - frozen
