"""A block that mixes cells along the task's own relations instead of learning which cells matter.

Each cell (and symbol) sees the means of the states it is related to: its row, column and box, its neighbours, and the
other symbols of its cell. Weights are shared over cells and symbols, so they do not depend on the board's size, and
relabelling the symbols commutes with the block.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention import Context
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, feed_forward_width, rms_norm
from hrmlab.spec import Relation


@BLOCKS.register(source="hrm-lab; deep sets, arXiv 1703.06114; symbol axis as in SE-RRM, arXiv 2603.02193")
@dataclass(frozen=True, kw_only=True)
class Relational(BlockConfig):
    """SwiGLU over the state and its means along the task's relations and symbols; weights independent of board size."""

    kind: Literal["relational"] = "relational"
    relations: tuple[str, ...] | None = None
    """Which of the task's relations to use, by name; None for all of them."""
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        known = {relation.name: relation for relation in place.spec.relations}
        names = tuple(known) if self.relations is None else self.relations
        if missing := [name for name in names if name not in known]:
            raise ConfigError(f"the task has no relation {missing}; it has: {', '.join(known) or 'none'}")
        if not names and not place.symbol_axis:
            raise ConfigError("block 'relational' needs a task with relations; use post_norm or mlp_mixer")
        if place.slots:
            raise ConfigError("block 'relational' has no place for puzzle slots; set model.puzzle=none")
        size = place.size
        hidden = feed_forward_width(size.width, size.expansion, size.round_to)
        return RelationalBlock(size.width, hidden, [known[n] for n in names], place.symbol_axis, self.eps)


class RelationalBlock(nn.Module):
    """x <- norm(x + down(silu(gate) * up)), gate and up linear in x and in its means.

    A mean over a group is taken, multiplied by its weights and spread back over the group, in that order: the product
    runs over groups, which are fewer than cells.
    """

    pool: Tensor
    spread: Tensor

    def __init__(self, width: int, hidden: int, relations: list[Relation], symbols: bool, eps: float) -> None:
        super().__init__()
        self.eps, self.symbols = eps, symbols
        ties = list(dict.fromkeys(relation.tie or relation.name for relation in relations))
        means = {tie: [_matrices(r) for r in relations if (r.tie or r.name) == tie] for tie in ties}
        pools = {tie: np.concatenate([pool for pool, _ in pairs]) for tie, pairs in means.items()}
        spreads = [spread for pairs in means.values() for _, spread in pairs]
        self.groups = [len(pool) for pool in pools.values()]
        if relations:
            self.register_buffer("pool", _tensor(np.concatenate(list(pools.values()))), persistent=False)
            self.register_buffer("spread", _tensor(np.concatenate(spreads, axis=1)), persistent=False)
        std = (width * (1 + len(ties) + symbols)) ** -0.5
        self.gate_up = Linear(width, 2 * hidden, std=std)
        self.related = nn.ModuleDict({tie: Linear(width, 2 * hidden, std=std) for tie in ties})
        self.across_symbols = Linear(width, 2 * hidden, std=std) if symbols else None
        self.down = Linear(hidden, width)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W), or with a symbol axis (B, N, S, W) -> (B, N, S, W)."""
        hidden = self.gate_up(x)
        if self.across_symbols is not None:
            hidden.add_(self.across_symbols(x.mean(dim=2, keepdim=True)))  # in place: these are the largest tensors
        if self.groups:
            pooled = (self.pool.to(x.dtype) @ x.flatten(2)).view(len(x), -1, *x.shape[2:])
            parts = zip(self.related.values(), torch.split(pooled, self.groups, dim=1), strict=True)
            messages = torch.cat([linear(part) for linear, part in parts], dim=1)
            spread = self.spread.to(x.dtype).expand(len(x), -1, -1)
            hidden.flatten(2).baddbmm_(spread, messages.flatten(2))
        gate, up = hidden.chunk(2, dim=-1)
        return rms_norm(x + self.down(F.silu(gate) * up), self.eps)


def _matrices(relation: Relation) -> tuple[np.ndarray, np.ndarray]:
    """Mean over each group, (G, N), and back to its members, (N, G). Neighbours: one group around each cell."""
    if relation.groups is not None:
        members = np.arange(relation.groups.max() + 1)[:, None] == relation.groups[None, :]
        return members / np.maximum(members.sum(1, keepdims=True), 1), members.T.astype(np.float64)
    assert relation.neighbours is not None
    cells = len(relation.neighbours)
    near = np.zeros((cells, cells))
    for column in relation.neighbours.T:
        near[np.flatnonzero(column >= 0), column[column >= 0]] += 1
    return near / relation.neighbours.shape[1], np.eye(cells)


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array).float()
