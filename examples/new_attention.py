"""A kind of attention of your own, registered, checked against every rule of attention, and used in a model.

    python examples/new_attention.py
    hrm train sudoku-4x4 model.embedding=tokens model.positions=none model.block=post_norm \
        model.block.attention=near --import examples.new_attention
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab import api
from hrmlab.attention import ATTENTION, AttentionConfig, Context, Place
from hrmlab.attention.sdpa import SelfAttention


@ATTENTION.register(source="ALiBi, Press et al. 2021, arXiv 2108.12409, on a board")
@dataclass(frozen=True, kw_only=True)
class Near(AttentionConfig):
    """Softmax attention that prefers what is near on the board: each head subtracts its own slope times the distance.

    slope: of the first head at first; that of each further head is half of it. Learned.
    """

    kind: Literal["near"] = "near"
    slope: float = 1.0

    def build(self, place: Place) -> nn.Module:
        return NearAttention(place, self.slope)


class NearAttention(SelfAttention):
    """Scores of queries and keys, less slope x steps on the board; positions before the cells are near to all."""

    distance: Tensor

    def __init__(self, place: Place, slope: float) -> None:
        super().__init__(place.size)
        cells = place.spec.coordinates
        steps = np.abs(cells[:, None] - cells[None]).sum(-1)
        self.register_buffer("distance", torch.from_numpy(np.pad(steps, (place.slots, 0))).float(), persistent=False)
        self.slopes = nn.Parameter(slope * 0.5 ** torch.arange(place.size.heads))

    def scope(self, context: Context, dtype: torch.dtype) -> Tensor:
        """What is added to the scores, (H, N, N); where the context allows no look, minus infinity."""
        bias = (-self.slopes.view(-1, 1, 1) * self.distance).to(dtype)
        return bias if context.mask is None else bias.masked_fill(~context.mask, -torch.inf)


if __name__ == "__main__":
    torch.set_num_threads(1)
    result = api.check("near", kind="attention")
    for check in result.checks:
        print(f"{'ok' if check.ok else '--' if check.ok is None else 'NO'}  {check.name}  {check.why}")
    parts = ("model.embedding=tokens", "model.positions=none", "model.block=post_norm", "model.block.attention=near")
    sizes = ("model.size.width=32", "model.size.heads=4", "model.schedule.cycles=3", "data.train=500", "data.test=100")
    run = api.train("sudoku-4x4", [*parts, *sizes], steps=100, threads=1, quiet=True)
    print(f"after {run.steps} steps: {run.cell:.0%} of the cells of held-out puzzles are right")
