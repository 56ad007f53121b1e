"""Embeddings: tokens or symbols in, states out; positions; the sparse puzzle table."""

from hrmlab.embeddings.base import EMBEDDINGS, Embedding, EmbeddingConfig, EmbeddingRequest
from hrmlab.embeddings.positions import POSITIONS, Learned, Learned2D, NoPositions, PositionsConfig, Rotary, Rotary2D
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
    "Learned2D",
    "NoPositions",
    "PositionsConfig",
    "PuzzleConfig",
    "PuzzleTable",
    "Rotary",
    "Rotary2D",
    "SymbolAxis",
    "Tokens",
]
