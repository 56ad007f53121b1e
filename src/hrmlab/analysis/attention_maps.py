"""Where cells look: attention weights of a few puzzles, the strongest of each cell, in a bounded number of bytes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.analysis.tracing import Address, hooks, sites
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM

STRONGEST = 32
"""Weights kept of each cell."""
BYTES = 3
"""Of one weight: two for where, one for how much."""


@dataclass(frozen=True)
class AttentionMaps:
    """Of p puzzles, the last update of each level in some segments.

    levels, blocks: of each map, in order of execution: the level updated, and the place in its network (`0.attn`).
    heads: how many there are for each map; 1 where their mean was taken for want of room (`averaged`).
    segments: those recorded, from 0. slots: leading positions that hold the puzzle's vector, not cells.
    where: (p, S, maps, heads, N, k) uint16, positions of the strongest weights, slots counted.
    weight: the same shape, uint8, in 255ths.
    """

    levels: list[str]
    blocks: list[str]
    heads: int
    averaged: bool
    segments: list[int]
    slots: int
    where: npt.NDArray[np.uint16]
    weight: npt.NDArray[np.uint8]


def attention_places(model: HRM) -> list[tuple[str, int, int]]:
    """Places whose weights can be seen: name (`low.0.attn.pattern`), heads, positions; none without attention."""
    return [(site.name, site.shape[0], site.shape[1]) for site in sites(model) if site.name.endswith(".pattern")]


@torch.no_grad()
def record_attention(model: HRM, batch: Batch, segments: int, room: int) -> AttentionMaps | None:
    """Run a batch and keep attention weights in at most `room` bytes; None without attention or for want of room.

    Segments are left out first, evenly, the last one never; then the heads give way to their mean.
    """
    places = attention_places(model)
    if not places or len({place[1:] for place in places}) > 1:
        return None
    heads, positions = places[0][1:]
    slots = positions - model.spec.seq_len
    each = len(batch) * len(places) * model.spec.seq_len * min(STRONGEST, positions) * BYTES
    averaged = room < each * heads
    fits = room // (each if averaged else each * heads)
    if not fits:
        return None
    chosen = np.unique(np.linspace(segments - 1, 0, min(int(fits), segments)).round().astype(int)).tolist()
    kept: dict[tuple[int, str], tuple[Tensor, Tensor]] = {}

    def see(pattern: Tensor, /, *, at: Address) -> None:
        if at.segment in chosen:  # the last update of a level replaces those before it
            kept[at.segment, at.site] = _strongest(pattern.mean(1, keepdim=True) if averaged else pattern, slots)

    states = model.empty_carry(batch).states
    with hooks(model, forward=[("*.pattern", see)], segments=segments):
        for _ in range(segments):
            states = model(states, batch).states
    names = [name for name, _, _ in places]
    where, weight = (
        torch.stack([torch.stack([kept[number, name][part] for name in names], 1) for number in chosen], 1)
        for part in (0, 1)
    )
    return AttentionMaps(
        levels=[name.partition(".")[0] for name in names],
        blocks=[name.partition(".")[2].removesuffix(".pattern") for name in names],
        heads=1 if averaged else heads,
        averaged=averaged,
        segments=chosen,
        slots=slots,
        where=where.numpy().astype(np.uint16),
        weight=weight.numpy().astype(np.uint8),
    )


def _strongest(pattern: Tensor, slots: int) -> tuple[Tensor, Tensor]:
    """(B, H, P, P) -> positions and weights in 255ths of each cell's strongest, (B, H, N, k)."""
    weight, where = pattern[:, :, slots:].topk(min(STRONGEST, pattern.shape[-1]), dim=-1)
    return where.cpu(), (weight * 255).round().cpu()
