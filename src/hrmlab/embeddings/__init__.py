"""Embeddings: tokens or symbols in, states out; positions; the sparse puzzle table."""

from hrmlab.embeddings.base import EMBEDDINGS, Embedding, EmbeddingConfig, EmbeddingRequest
from hrmlab.embeddings.positions import POSITIONS, Learned, NoPositions, PositionsConfig, Rotary
from hrmlab.embeddings.puzzle import PuzzleConfig, PuzzleTable
from hrmlab.embeddings.symbols import SymbolAxis
from hrmlab.embeddings.tokens import Tokens

__all__ = [
    "EMBEDDINGS",
    "POSITIONS",
    "Embedding",
    "EmbeddingConfig",
    "EmbeddingRequest",
    "Learned",
    "NoPositions",
    "PositionsConfig",
    "PuzzleConfig",
    "PuzzleTable",
    "Rotary",
    "SymbolAxis",
    "Tokens",
]
