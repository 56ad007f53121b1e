"""D-31: what the attention patterns have to do with the board, and whether the heads matter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.attending import (
    attention_places,
    grid_distance,
    jensen_shannon,
    related,
    watch,
)
from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.effects import cell_loss, ending
from hrmlab.analysis.probes.maths.summary import median
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address
from hrmlab.analysis.tracing.patches import without_head
from hrmlab.core.model import HRM

Reading = Callable[[Tensor, Tensor], Tensor]
"""A number of each head: patterns (b, H, N, N), given cells (b, N) booleans -> (b, H)."""


@PROBES.register(source="hrm-lab; attention is not explanation without ablation: BertViz's own caution")
@dataclass(frozen=True, kw_only=True)
class AttentionStructure(Probe):
    """Where each head looks on the board, beside what its loss costs.

    puzzles, segments: how many to run; patterns are those of each level's last update in a segment.
    ablated: the most heads to silence, each in a run of its own.
    """

    code = "D-31"
    question = "Do heads look along the task's rows, columns and neighbours, and would the answer miss them?"
    definition = (
        "lift: the weight on related (or given) cells over their share of all positions; distance: mean steps on the "
        "board; first_in, first_out: mean weight that the first position gets, and that it gives to others; drift: "
        "Jensen-Shannon divergence from the segment before, over ln 2; ablation: the loss at the end with the head's "
        "output zero everywhere, less the loss without, in nats a cell."
    )
    caveats = (
        "Where a head looks does not say what it does: believe the ablation.",
        "Heads can stand in for each other: a small ablation of each does not say that all can go.",
    )
    preset = "full"
    kind: Literal["attention_structure"] = "attention_structure"
    puzzles: int = 16
    segments: int = 4
    ablated: int = 32

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        segments = min(self.segments, subject.segments)
        places = attention_places(model)
        known = ~subject.unknown_cells()[: len(batch)]
        readings = _readings(model)
        readers = {place.name: _Reader(known, readings, _last_row(model, place.level)) for place in places}
        watch(model, batch, segments, places, [(f"{name}.pattern", reader) for name, reader in readers.items()])
        costs = dict[tuple[str, int], Tensor]()
        clean = cell_loss(ending(model, batch, segments).logits[-1], batch.labels)
        every = [(place, head) for place in places for head in range(place.heads)]
        for where, head in every[: self.ablated]:
            silence = [(where.site("heads"), without_head(head, where.heads))]
            lost = cell_loss(ending(model, batch, segments, forward=silence).logits[-1], batch.labels)
            costs[where.name, head] = lost - clean
        table = [
            {"segment": segment, "level": place.level, "place": place.name, "head": head}
            | {name: median(torch.cat(of)[:, head]) for name, of in readers[place.name].numbers[segment].items()}
            | {"ablation": median(costs.get((place.name, head), torch.empty(0)))}
            for place in places
            for segment in range(segments)
            for head in range(place.heads)
        ]
        return Outcome(len(batch), _summary(table, segments), table)


@dataclass
class _Reader:
    """A hook for a place's patterns. known: (n, N) booleans, given cells. numbers: by segment and name, (b, H) of each
    part of the batch. begun: how many puzzles have come so far."""

    known: Tensor
    readings: dict[str, Reading]
    row: int
    numbers: dict[int, dict[str, list[Tensor]]] = field(default_factory=dict)
    before: Tensor | None = None
    begun: int = 0

    def __call__(self, pattern: Tensor, /, *, at: Address) -> None:
        if at.row != self.row:
            return
        if at.segment == 0:
            self.before, self.begun = None, self.begun + len(pattern)
        given = self.known[self.begun - len(pattern) : self.begun]
        found = {name: reading(pattern, given) for name, reading in self.readings.items()}
        still = pattern.new_full(pattern.shape[:2], torch.nan)
        found["drift"] = still if self.before is None else jensen_shannon(pattern, self.before).mean(-1)
        for name, value in found.items():
            self.numbers.setdefault(at.segment, {}).setdefault(name, []).append(value.cpu())
        self.before = pattern


def _last_row(model: HRM, level: str) -> int:
    return max(row for row, update in enumerate(model.schedule.updates) if update.target == level)


def _readings(model: HRM) -> dict[str, Reading]:
    """What is read of a pattern, by column of the table."""
    slots, spec = model.embedding.slots, model.spec
    found: dict[str, Reading] = {
        "given": lambda pattern, given: _lift(pattern[:, :, slots:, slots:], pattern.shape[-1], given[:, None, None]),
        "first_in": lambda pattern, _: pattern[..., 0].mean(-1),
        "first_out": lambda pattern, _: 1 - pattern[..., 0, 0],
    }
    for name, pairs in related(spec):
        mask = pairs.to(model.initial.device)
        found[name] = (
            lambda pattern, _, mask=mask: _lift(  # type: ignore[misc]
                pattern[:, :, slots:, slots:], pattern.shape[-1], mask
            )
        )
    steps = grid_distance(spec)
    if steps is not None:
        far = steps.to(model.initial.device)
        found["distance"] = lambda pattern, _: _mean_of(pattern[:, :, slots:, slots:], far)
    return found


def _lift(cells: Tensor, positions: int, mask: Tensor) -> Tensor:
    """Weight between cells where the mask holds, over what equal weights on all positions would put there."""
    weight = (cells * mask).sum((-1, -2))
    share = (mask.expand(len(cells), 1, *cells.shape[-2:]).float() / positions).sum((-1, -2))
    return weight / torch.where(share > 0, share, torch.nan)


def _mean_of(cells: Tensor, values: Tensor) -> Tensor:
    """Mean over queries of the expected value under the weights that cells give to cells."""
    return ((cells * values).sum(-1) / cells.sum(-1).clamp_min(1e-12)).mean(-1)


def _summary(table: list[dict[str, Any]], segments: int) -> dict[str, float | str | None]:
    """The most that any head reaches in the last segment, and what its loss costs."""
    end = [row for row in table if row["segment"] == segments - 1]
    summed: dict[str, float | str | None] = {}
    for name in [name for name in end[0] if name not in ("segment", "level", "place", "head")]:
        values = [row[name] for row in end if row[name] is not None and row[name] == row[name]]
        summed[f"{name}_most"] = max(values, default=None)
    best = max(end, key=lambda row: -1e9 if row["ablation"] is None else float(row["ablation"]))
    return summed | {"costliest_head": f"{best['place']} head {best['head']}"}
