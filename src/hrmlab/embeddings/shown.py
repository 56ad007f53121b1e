"""Puzzle vectors that a network makes of a puzzle's demonstrations, in place of learning one for each puzzle.

A hypernetwork (Ha et al. 2016, arXiv 1609.09106) that reads a set of examples (Deep Sets, Zaheer et al. 2017, arXiv
1703.06114): every cell of every demonstration gives a vector of its input and its output, their mean is the puzzle's. A
new puzzle needs no training, and the table holds tokens that nothing learns. It tells what becomes of which symbol,
and nothing of where.
"""

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.embeddings.puzzle import PuzzleConfig, PuzzleTable
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, truncated_normal_
from hrmlab.spec import TaskSpec

Ints = npt.NDArray[np.integer]
HIDDEN = 64
MOST_TOKENS = torch.iinfo(torch.int16).max


def puzzle_table(spec: TaskSpec, config: PuzzleConfig) -> PuzzleTable:
    """The table of a task's puzzles."""
    if config.examples is None:
        return PuzzleTable(spec.num_identifiers, config)
    return ShownTable(spec, config, config.examples)


class ShownTable(PuzzleTable):
    """Demonstrations by identifier, (identifiers, examples, 2, seq_len), and the network that reads them."""

    learned = False

    def __init__(self, spec: TaskSpec, config: PuzzleConfig, examples: int) -> None:
        if spec.vocab_size > MOST_TOKENS:
            raise ConfigError(f"puzzle.examples keeps up to {MOST_TOKENS} tokens; the task has {spec.vocab_size}")
        nn.Module.__init__(self)
        self.buckets, self.mapped = None, False
        shape = (spec.num_identifiers, examples, 2, spec.seq_len)
        self.register_buffer("rows", torch.zeros(shape, dtype=torch.int16))
        hidden = config.rank or HIDDEN
        tokens = (truncated_normal_(torch.empty(spec.vocab_size, hidden), 1.0) for _ in range(2))
        self.tokens = nn.ParameterList(nn.Parameter(table) for table in tokens)
        self.inner, self.outer = Linear(hidden, hidden, bias=True), Linear(hidden, config.width, bias=True)

    def remember(self, identifiers: Ints, inputs: Ints, labels: Ints) -> None:
        """Keep the first examples of every identifier: what a model of this kind is told of its puzzles.

        Args:
            identifiers: (n,). inputs, labels: token ids, (n, seq_len), -100 where not scored.
        """
        order = np.argsort(identifiers, kind="stable")
        ids = identifiers[order]
        place = np.arange(len(ids)) - np.searchsorted(ids, ids)
        kept = place < self.rows.shape[1]
        at = torch.from_numpy(ids[kept]).long(), torch.from_numpy(place[kept])
        self.rows[at] = _pairs(inputs[order[kept]], labels[order[kept]])

    def told(self, inputs: Ints, labels: Ints) -> Tensor:
        """The row of a puzzle with these demonstrations, the first of them, (examples, 2, seq_len)."""
        row, most = torch.zeros_like(self.rows[0]), self.rows.shape[1]
        pairs = _pairs(inputs[:most], labels[:most])
        row[: len(pairs)] = pairs
        return row

    def forward(self, ids: Tensor) -> Tensor:
        """(B,) -> (B, examples, 2, seq_len)."""
        return self.rows[ids]

    def vectors(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """(B, examples, 2, seq_len) -> (B, width). A demonstration of the very puzzle that is asked is not shown."""
        shown = rows.long()
        states = F.embedding(shown[:, :, 0], self.tokens[0]) + F.embedding(shown[:, :, 1], self.tokens[1])
        read = self.inner(F.gelu(states))
        other = (shown[:, :, 0] != tokens[:, None]).any(-1)
        told = ((shown > 0).any(2) & other[..., None]).to(read.dtype)[..., None]
        mean = (read * told).sum((1, 2)) / told.sum((1, 2)).clamp_min(1)
        vector: Tensor = self.outer(F.gelu(mean))
        return vector


def _pairs(inputs: Ints, labels: Ints) -> Tensor:
    return torch.from_numpy(np.stack([inputs, np.maximum(labels, 0)], axis=1).astype(np.int16))
