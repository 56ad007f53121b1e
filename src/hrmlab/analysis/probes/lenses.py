"""Reading answers off states in the middle of a segment, through two lenses.

The plain lens gives the answer head the answer level as it stands. The preview runs the answer level's network once
more on all levels as they stand (Wang et al. 2025, arXiv 2506.21734, figure 7), so that what a faster level has just
found shows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from hrmlab.analysis.probes.snapshots import chunks
from hrmlab.analysis.tracing.unroll import beginning
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.core.schedule import INPUT


@dataclass(frozen=True)
class View:
    """Through one lens after each of K updates: `tokens` (n, K, N) and `entropy` (n, K, N), in nats."""

    tokens: Tensor
    entropy: Tensor


@torch.no_grad()
def views(model: HRM, batch: Batch, segments: int) -> dict[str, View]:
    """The "plain" and the "preview" lens after every update of a run; K = segments * rows."""
    parts = [_part(model, part, segments) for part in chunks(batch)]
    return {
        lens: View(torch.cat([part[lens].tokens for part in parts]), torch.cat([part[lens].entropy for part in parts]))
        for lens in parts[0]
    }


def _part(model: HRM, batch: Batch, segments: int) -> dict[str, View]:
    states = beginning(model, batch)
    now: States = dict(states)
    inputs, context = model.embed(batch)[0], model._rotation.context()
    last = next(row for row in reversed(model.schedule.updates) if row.target == model.schedule.answer)
    read: dict[str, list[tuple[Tensor, Tensor]]] = {"plain": [], "preview": []}

    def see(level: str, _clock: tuple[int, int], new: Tensor) -> None:
        now[level] = new
        read["plain"].append(_read(model, now[model.schedule.answer]))
        sources = [inputs if source == INPUT else now[source] for source in last.sources]
        x = model.joints.enter(last, now[last.target], sources, context)
        state = model.joints.leave(last, now[last.target], model.networks[last.network](x, context))
        read["preview"].append(_read(model, state))

    for number in range(segments):
        states = model(states, batch, see, number).states
    return {
        lens: View(*(torch.stack(series, 1) for series in zip(*found, strict=True))) for lens, found in read.items()
    }


def _read(model: HRM, state: Tensor) -> tuple[Tensor, Tensor]:
    logits = model.embedding.logits(state).float()
    share = logits.softmax(-1)
    return logits.argmax(-1), -torch.special.xlogy(share, share).sum(-1)


def last_changes(tokens: Tensor) -> Tensor:
    """The last step at which each cell changed, from 0, (n, K, N) -> (n, N): the step where it was committed to."""
    steps = torch.arange(1, tokens.shape[1], device=tokens.device)[:, None]
    changed = tokens[:, 1:] != tokens[:, :-1]
    none = torch.zeros_like(tokens[:, :1])
    return torch.cat((none, changed * steps), 1).amax(1)


def solve_steps(right: Tensor) -> Tensor:
    """The first right step of each puzzle, from 0, (n, K) -> (n,); K where there is none."""
    first = right.int().argmax(1)
    return torch.where(right.any(1), first, right.shape[1])
