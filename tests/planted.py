"""Models whose dynamics are known: the network of a single-state model replaced by a map with a known Jacobian."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from hrmlab.blocks import PostNorm, Size
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import SingleState
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.tasks.sudoku import Sudoku

SPEC = Sudoku(box_rows=2, box_cols=2).spec()
NUMBERS = SPEC.seq_len * 4
"""Numbers in one puzzle's state."""


class Map(nn.Module):
    """A function of what a puzzle's network reads, as one vector: (B, D) -> (B, D)."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor, context: Any) -> Tensor:
        return self.function(x.flatten(1)).reshape(x.shape)


def planted(function: Callable[[Tensor], Tensor], cycles: int = 1) -> HRM:
    """A model on 4x4 Sudoku whose every update is z <- function(z): the puzzle is embedded as zero."""
    torch.manual_seed(0)
    model = HRM(
        ModelConfig(
            schedule=SingleState(cycles=cycles),
            block=PostNorm(),
            embedding=Tokens(),
            positions=Rotary(),
            size=Size(width=4, layers=1, heads=1, round_to=4),
        ),
        SPEC,
    )
    model.embedding.register_forward_hook(lambda _m, _a, out: torch.zeros_like(out))
    model.networks["state"] = Map(function)
    return model.eval()


def linear(matrix: Tensor, cycles: int = 1) -> HRM:
    """z <- A z."""
    return planted(lambda z: z @ matrix.T, cycles)


def block_matrix(block: Tensor, rest: float) -> Tensor:
    """A block in the corner, `rest` on the diagonal beyond it."""
    matrix = torch.eye(NUMBERS) * rest
    matrix[: len(block), : len(block)] = block
    return matrix


def answers(model: HRM, right: Callable[[Any, Any, int], Tensor]) -> HRM:
    """The model answering the labels of the puzzles for which right(batch, states, segment), (B,), holds, and zero at
    the others. States are those after the segment."""

    def answered(_model: HRM, arguments: Any, output: Any) -> Any:
        batch, number = arguments[1], arguments[3] if len(arguments) > 3 else 0
        said = torch.where(right(batch, output.states, number)[:, None], batch.labels.clamp_min(0), 0)
        return replace(output, logits=torch.nn.functional.one_hot(said, SPEC.vocab_size).float())

    model.register_forward_hook(answered)
    return model
