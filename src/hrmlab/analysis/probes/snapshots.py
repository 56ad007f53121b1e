"""States of all levels at the ends of segments, at a few positions, for probes of what they represent."""

from collections.abc import Iterator

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import NotApplicable
from hrmlab.analysis.tracing.unroll import beginning, some, unroll
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM

CHUNK = 64
"""Puzzles that run together."""


def chunks(batch: Batch) -> Iterator[Batch]:
    """A batch in parts that fit into memory."""
    rows = torch.arange(len(batch))
    return (some(batch, rows[start : start + CHUNK]) for start in range(0, len(batch), CHUNK))


@torch.no_grad()
def snapshots(model: HRM, batch: Batch, segments: int, positions: int, generator: torch.Generator) -> dict[str, Tensor]:
    """By level, (T, n, P, W): the states after each segment at P positions, the same for all puzzles and segments.

    Cells with a symbol axis count as one position for each symbol.

    Args:
        positions: how many, drawn at random; all where there are fewer.

    Raises:
        NotApplicable: fewer puzzles than any statistic of this kind takes.
    """
    enough(len(batch))
    first = next(iter(beginning(model, some(batch, torch.arange(1))).values()))
    count = first.flatten(1, -2).shape[1]
    at = torch.randperm(count, generator=generator)[:positions].to(first.device)
    parts: dict[str, list[Tensor]] = {level: [] for level in model.schedule.levels}
    for part in chunks(batch):
        outputs = [out.states for out in unroll(model, part, segments)]
        for level, kept in parts.items():
            kept.append(torch.stack([states[level].flatten(1, -2)[:, at].float().cpu() for states in outputs]))
    return {level: torch.cat(kept, dim=1) for level, kept in parts.items()}


def enough(puzzles: int, wanted: int = 8) -> None:
    """Raises NotApplicable where there are too few puzzles."""
    if puzzles < wanted:
        raise NotApplicable(f"{puzzles} puzzles are too few for a statistic over puzzles; give {wanted} or more")
