"""How far an erased cell is felt on the board."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hrmlab.analysis.probes.attending import grid_distance, related
from hrmlab.analysis.probes.effects import Ending, ending
from hrmlab.analysis.probes.maths.summary import ratio
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM


@dataclass(frozen=True)
class Reach:
    """scalars: `half_radius`, the steps that hold half of the effect, and of each relation the mean effect inside over
    that outside. table: rows as those of `interventions`, by distance and by relation."""

    scalars: dict[str, float | None]
    table: list[dict[str, Any]]


def locality(model: HRM, batch: Batch, clean: Ending, segment: int, cells: int, generator: torch.Generator) -> Reach:
    """Erase random cells from all states at the beginning of a segment, one of each puzzle at a time.

    The effect on a cell is the total variation between its answers' distributions after the segment.
    """
    total, felt = model.spec.seq_len, []
    erased = torch.rand(len(batch), total, generator=generator).argsort(1)[:, :cells].to(batch.inputs.device)
    before = clean.logits[segment].softmax(-1)
    for cell in erased.T:
        states = {level: _erased(state, cell + model.embedding.slots) for level, state in clean.states[segment].items()}
        run = ending(model, batch, segment + 1, first=segment, states=states)
        felt.append((run.logits[-1].softmax(-1) - before).abs().sum(-1) / 2)
    effect = torch.cat(felt).cpu()  # (cells * n, N)
    return _read(model, effect, erased.T.flatten().cpu())


def _erased(state: Tensor, position: Tensor) -> Tensor:
    state = state.clone()
    state[torch.arange(len(state), device=state.device), position] = 0
    return state


def _read(model: HRM, effect: Tensor, source: Tensor) -> Reach:
    others = torch.ones_like(effect, dtype=torch.bool).scatter_(1, source[:, None], False)
    mean = float(effect[others].mean())
    scalars: dict[str, float | None] = {}
    table: list[dict[str, Any]] = []
    steps = grid_distance(model.spec)
    if steps is not None:
        table, scalars["half_radius"] = _by_distance(effect, steps[source], others, mean)
    for name, pairs in related(model.spec):
        inside = pairs[source]
        outside = others & ~inside
        if inside.any():
            table.append(_row(None, name, effect[inside], mean))
        if inside.any() and outside.any():
            scalars[f"{name}_lift"] = ratio(effect[inside].mean(), effect[outside].mean())
    return Reach(scalars, table)


def _by_distance(effect: Tensor, far: Tensor, others: Tensor, mean: float) -> tuple[list[dict[str, Any]], float | None]:
    radii = [radius for radius in sorted(set(far.int().flatten().tolist())) if radius]
    table = [_row(radius, None, effect[far == radius], mean) for radius in radii]
    whole = float(effect[others].sum())
    held = [float(effect[others & (far <= radius)].sum()) for radius in radii]
    half = next((float(radius) for radius, part in zip(radii, held, strict=True) if whole and part >= whole / 2), None)
    return table, half


def _row(distance: int | None, relation: str | None, effect: Tensor, mean: float) -> dict[str, Any]:
    now = ratio(effect.mean(), mean)
    return {"target": "cell", "how": "zero", "distance": distance, "relation": relation, "now": now} | dict.fromkeys(
        ("end", "loss", "exact")
    )
