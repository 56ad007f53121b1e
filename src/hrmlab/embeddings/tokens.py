"""One state for each cell: token vectors, preceded by the puzzle's own slots."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.embeddings.base import EMBEDDINGS, Embedding, EmbeddingConfig, EmbeddingRequest
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, truncated_normal_


@EMBEDDINGS.register(source="Wang et al. 2025, arXiv 2506.21734")
@dataclass(frozen=True, kw_only=True)
class Tokens(EmbeddingConfig):
    """A learned vector for each token; logits by a linear map to the vocabulary."""

    kind: Literal["tokens"] = "tokens"

    def build(self, request: EmbeddingRequest) -> Embedding:
        return TokenEmbedding(request)


class TokenEmbedding(Embedding):
    """Token vectors with unit variance after scaling by sqrt(W)."""

    def __init__(self, request: EmbeddingRequest) -> None:
        super().__init__()
        if request.puzzle_width > request.slots * request.width:
            raise ConfigError(
                f"a puzzle vector of {request.puzzle_width} numbers does not fit {request.slots} slots of width "
                f"{request.width}; set model.puzzle.slots=null for as many slots as it needs"
            )
        width, vocabulary = request.width, request.spec.vocab_size
        self.slots, self.width = request.slots, width
        std = 1 / math.sqrt(width)
        self.tokens = nn.Parameter(truncated_normal_(torch.empty(vocabulary, width), std))
        self.positions = request.positions.vectors(request.spec, request.slots, width)
        self.answer = Linear(width, vocabulary)

    def forward(self, tokens: Tensor, puzzle: Tensor | None) -> Tensor:
        """(B, seq_len) and (B, P) -> (B, slots + seq_len, W)."""
        x = F.embedding(tokens, self.tokens)
        if puzzle is not None:
            padded = F.pad(puzzle, (0, self.slots * self.width - puzzle.shape[-1]))
            x = torch.cat((padded.view(-1, self.slots, self.width).to(x.dtype), x), dim=1)
        if self.positions is not None:
            where = self.positions() if isinstance(self.positions, nn.Module) else self.positions
            x = 0.707106781 * (x + where)  # keeps the variance; the constant is the reference's
        return math.sqrt(self.width) * x

    def logits(self, state: Tensor) -> Tensor:
        """(B, slots + seq_len, W) -> (B, seq_len, V)."""
        logits: Tensor = self.answer(state[:, self.slots :])
        return logits
