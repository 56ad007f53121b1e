"""One state for each cell and symbol: what is known of "this cell holds this symbol".

With weights shared over symbols, relabelling digits or colours commutes with the whole model, so that no augmentation
has to teach it.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.embeddings.base import EMBEDDINGS, Embedding, EmbeddingConfig, EmbeddingRequest
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, truncated_normal_

IMPOSSIBLE = -1e4
"""Logit of tokens that are no symbols (padding, blank): an answer never holds them."""


@EMBEDDINGS.register(source="hrm-lab; symbol axis as in SE-RRM, arXiv 2603.02193")
@dataclass(frozen=True, kw_only=True)
class SymbolAxis(EmbeddingConfig):
    """States of cells x symbols, told apart by one of three vectors: unknown, is, is not."""

    kind: Literal["symbols"] = "symbols"

    def build(self, request: EmbeddingRequest) -> Embedding:
        if request.spec.symbols is None:
            raise ConfigError("embedding 'symbols' needs a task with interchangeable symbols; use embedding 'tokens'")
        if request.slots:
            raise ConfigError("embedding 'symbols' has no place for a puzzle embedding; set model.puzzle=none")
        return SymbolEmbedding(request.width, request.spec.symbols.tokens, request.spec.vocab_size)


class SymbolEmbedding(Embedding):
    """Three learned vectors in, one score for each symbol out."""

    symbol_axis = True
    symbols: Tensor

    def __init__(self, width: int, symbols: tuple[int, ...], vocabulary: int) -> None:
        super().__init__()
        self.vocabulary = vocabulary
        self.register_buffer("symbols", torch.tensor(symbols), persistent=False)
        self.knowledge = nn.Parameter(truncated_normal_(torch.empty(3, width), 1.0))
        self.answer = Linear(width, 1)

    def forward(self, tokens: Tensor, puzzle: Tensor | None) -> Tensor:
        """(B, N) -> (B, N, S, W)."""
        here = tokens[..., None] == self.symbols
        given = here.any(dim=-1, keepdim=True)
        knowledge = torch.stack((~given & ~here, here, given & ~here), dim=-1)
        vectors: Tensor = knowledge.to(self.knowledge.dtype) @ self.knowledge
        return vectors

    def logits(self, state: Tensor) -> Tensor:
        """(B, N, S, W) -> (B, N, V)."""
        scores = self.answer(state).squeeze(-1)
        blank = scores.new_full((*scores.shape[:2], self.vocabulary), IMPOSSIBLE)
        logits: Tensor = blank.index_copy(2, self.symbols, scores)
        return logits
