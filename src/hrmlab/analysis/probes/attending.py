"""Where a model attends, and what is asked of its attention patterns."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab.analysis.probes.base import NotApplicable
from hrmlab.analysis.tracing import hooks, unroll
from hrmlab.analysis.tracing.hooks import Hooks
from hrmlab.analysis.tracing.sites import points
from hrmlab.analysis.tracing.unroll import some
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.spec import Relation, TaskSpec

MOST_NUMBERS = 2**23
"""In the patterns of one call; more puzzles than that allows run one part after the other."""


@dataclass(frozen=True)
class Place:
    """An attention module as a level calls it. name: `low.2.attn`. module: with `qkv`, `heads` and `out`."""

    name: str
    level: str
    module: Any

    @property
    def heads(self) -> int:
        return int(self.module.heads)

    def site(self, what: str) -> str:
        """The address of its "pattern", "heads", ... in any call."""
        return f"{self.name}.{what}"


def attention_places(model: HRM) -> list[Place]:
    """All places of a model that attend, level by level.

    Raises:
        NotApplicable: there is none.
    """
    found = []
    for name, network in model.networks.items():
        targets = dict.fromkeys(update.target for update in model.schedule.updates if update.network == name)
        for point in points(network):  # type: ignore[arg-type]
            if point.derived == "pattern":
                where = point.site.removesuffix(".pattern")
                found += [Place(f"{target}.{where}", target, point.module) for target in targets]
    if not found:
        raise NotApplicable("the model has no softmax attention")
    return found


@torch.no_grad()
def watch(model: HRM, batch: Batch, segments: int, places: list[Place], forward: Hooks) -> None:
    """Run a batch under hooks, so few puzzles at once that the patterns of one call stay small."""
    most = max(place.heads for place in places) * (model.embedding.slots + model.spec.seq_len) ** 2
    for rows in torch.split(torch.arange(len(batch), device=batch.inputs.device), max(1, MOST_NUMBERS // most)):
        with hooks(model, forward=forward, segments=segments):
            for _ in unroll(model, some(batch, rows), segments):
                pass


def entropy(pattern: Tensor) -> Tensor:
    """Of each row of softmax weights, in nats: (..., N) -> (...)."""
    found: Tensor = torch.special.entr(pattern).sum(-1)
    return found


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Divergence of distributions over the last axis, over ln 2: 0 for equal ones, 1 for disjoint ones."""
    middle = (p + q) / 2
    return (entropy(middle) - (entropy(p) + entropy(q)) / 2).clamp_min(0) / math.log(2)


def least_entropy(length: Tensor, keys: int) -> Tensor:
    """Nats below which no softmax over `keys` scores falls, the vector of scores being at most so long.

    Zhai et al. 2023, arXiv 2303.06296, theorem 3.1; it is reached where one score stands out against equal others.
    """
    if keys < 2:
        return torch.zeros_like(length)
    rest = (keys - 1) * torch.exp(-length * math.sqrt(keys / (keys - 1)))
    return torch.log1p(rest) + length * math.sqrt(keys / (keys - 1)) * rest / (1 + rest)


def longest_scores(attention: nn.Module, x: Tensor) -> Tensor | None:
    """What no row of scores exceeds in length, by head, from the weights: (B, N, W) -> (B, H).

    ||W_Q|| ||W_K|| ||X||^2 / sqrt(D) in spectral norms: with the norms apart it holds for rotated queries and keys too.
    None where the projection has a bias.
    """
    qkv: Any = attention.qkv
    if getattr(qkv, "bias", None) is not None:
        return None
    heads = int(attention.heads)  # type: ignore[arg-type]
    weights = qkv.weight.detach().float().view(3, heads, -1, qkv.weight.shape[-1])
    sizes = torch.linalg.matrix_norm(weights[:2], ord=2)
    states = torch.linalg.matrix_norm(x.float(), ord=2)
    longest: Tensor = states[:, None] ** 2 * (sizes[0] * sizes[1]) / math.sqrt(weights.shape[2])
    return longest


def related(spec: TaskSpec) -> Iterator[tuple[str, Tensor]]:
    """For each relation of a task which cells are related to which, (N, N) booleans, none to itself."""
    for relation in spec.relations:
        yield relation.name, torch.from_numpy(_related(relation, spec.seq_len))


def _related(relation: Relation, cells: int) -> Any:
    if relation.groups is not None:
        groups = np.asarray(relation.groups)
        found = (groups[:, None] == groups) & (groups[:, None] >= 0)
    else:
        near = np.asarray(relation.neighbours)
        found = np.zeros((cells, cells), dtype=bool)
        rows, columns = np.nonzero(near >= 0)
        found[rows, near[rows, columns]] = True
    np.fill_diagonal(found, False)
    return found


def grid_distance(spec: TaskSpec) -> Tensor | None:
    """Steps along rows and columns between any two cells, (N, N); None for tasks that are no board."""
    if len(spec.shape) != 2 or int(np.prod(spec.shape)) != spec.seq_len:
        return None
    row, column = (torch.from_numpy(axis.ravel()) for axis in np.indices(spec.shape))
    return ((row[:, None] - row).abs() + (column[:, None] - column).abs()).float()
