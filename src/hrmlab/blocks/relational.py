"""A block that mixes cells along the task's own relations instead of learning which cells matter.

Each cell (and symbol) sees the means of the states it is related to: its row, column and box, its neighbours, and the
other symbols of its cell. Weights are shared over cells and symbols, so they do not depend on the board's size, and
relabelling the symbols commutes with the block.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab.attention import Context
from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.blocks.neighbours import NeighbourMean
from hrmlab.errors import ConfigError
from hrmlab.kernels import add_rms_norm, swiglu
from hrmlab.layers import Linear
from hrmlab.spec import Relation, by_tie


@BLOCKS.register(source="hrm-lab; deep sets, arXiv 1703.06114; symbol axis as in SE-RRM, arXiv 2603.02193")
@dataclass(frozen=True, kw_only=True)
class Relational(BlockConfig):
    """SwiGLU over the state and its means along the task's relations and symbols; weights independent of board size."""

    kind: Literal["relational"] = "relational"
    relations: tuple[str, ...] | None = None
    """Which of the task's relations to use, by name; None for all of them."""
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        relations = place.spec.chosen(self.relations)
        if not relations and not place.symbol_axis:
            raise ConfigError("block 'relational' needs a task with relations; use post_norm or mlp_mixer")
        if place.slots:
            raise ConfigError("block 'relational' has no place for puzzle slots; set model.puzzle=none")
        size = place.size
        return RelationalBlock(size.width, size.hidden, relations, place.symbol_axis, self.eps)


class RelationalBlock(nn.Module):
    """x <- norm(x + swiglu([x, messages])), messages the sum of linear maps of the means.

    A mean over a group is taken, multiplied by its weights and spread back over the group, in that order: the product
    runs over groups, which are fewer than cells. Neighbours are few, so theirs is gathered. Messages are summed at the
    state's width, before the feed-forward widens it, since passes over the widened tensors are what a step's time goes
    into.
    """

    pool: Tensor
    spread: Tensor

    def __init__(self, width: int, hidden: int, relations: list[Relation], symbols: bool, eps: float) -> None:
        super().__init__()
        self.eps = eps
        grouped = by_tie([relation for relation in relations if relation.groups is not None])
        nearby = by_tie([relation for relation in relations if relation.groups is None])
        pools = [np.concatenate([_members(r, mean=True) for r in tied]) for tied in grouped.values()]
        spreads = [_members(r, mean=False).T for tied in grouped.values() for r in tied]
        self.groups = [len(pool) for pool in pools]
        if grouped:
            self.register_buffer("pool", _tensor(np.concatenate(pools)), persistent=False)
            self.register_buffer("spread", _tensor(np.concatenate(spreads, axis=1)), persistent=False)
        self.near = nn.ModuleList([NeighbourMean(tied) for tied in nearby.values()])
        self.across_groups = nn.ModuleDict({tie: Linear(width, width) for tie in grouped})
        self.across_neighbours = nn.ModuleDict({tie: Linear(width, width) for tie in nearby})
        self.across_symbols = Linear(width, width) if symbols else None
        self.gate, self.up = Linear(2 * width, hidden), Linear(2 * width, hidden)
        self.down = Linear(hidden, width)

    def forward(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W), or with a symbol axis (B, N, S, W) -> (B, N, S, W)."""
        both = torch.cat((x, self.messages(x)), dim=-1)
        return add_rms_norm(x, self.down(swiglu(self.gate(both), self.up(both))), self.eps)

    def messages(self, x: Tensor) -> Tensor:
        """What each state hears from those related to it; the shape of x."""
        heard = torch.zeros_like(x)
        if self.groups:
            pooled = (self.pool.to(x.dtype) @ x.flatten(2)).view(x.shape[0], -1, *x.shape[2:])
            parts = zip(self.across_groups.values(), torch.split(pooled, self.groups, dim=1), strict=True)
            means = torch.cat([linear(part) for linear, part in parts], dim=1)
            heard = (self.spread.to(x.dtype) @ means.flatten(2)).view(x.shape)
        for near, linear in zip(self.near, self.across_neighbours.values(), strict=True):
            heard = heard + linear(near(x))
        if self.across_symbols is not None:
            heard = heard + self.across_symbols(x.mean(dim=2, keepdim=True))
        return heard


def _members(relation: Relation, *, mean: bool) -> np.ndarray:
    """Which cells belong to which group, (G, N): ones, or shares that add up to one for each group."""
    assert relation.groups is not None
    members: np.ndarray = (np.arange(relation.groups.max() + 1)[:, None] == relation.groups).astype(np.float64)
    sizes = np.maximum(members.sum(axis=1, keepdims=True), 1)
    return np.divide(members, sizes) if mean else members


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array).float()
