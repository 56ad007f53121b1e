"""D-33: what the answer loses when a part of the run is replaced."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.attending import attention_places
from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.effects import Ending, cell_loss, ending, exact, skipped
from hrmlab.analysis.probes.locality import locality
from hrmlab.analysis.probes.maths.summary import ratio
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address
from hrmlab.analysis.tracing.hooks import Hook, Hooks
from hrmlab.analysis.tracing.patches import WAYS, without_head
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.results.probes import Finding


@dataclass(frozen=True)
class Change:
    """One intervention: the states that the segment begins from, and hooks while it lasts."""

    target: str
    how: str
    states: States
    forward: Hooks = ()


@PROBES.register(source="patching: Zhang and Nanda 2024, arXiv 2309.16042; the states and times of HRM: hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Interventions(Probe):
    """States, input, blocks and heads replaced during the middle segment of a run.

    puzzles, segments: how many to run.
    heads: the most attention heads to silence. times: the most other segments to take states from.
    cells: how many cells of each puzzle to erase, one at a time, for how far that reaches.
    told: nats by which a puzzle's answer must suit it better than another's for effects to mean anything.
    unread: answers of different puzzles closer than this in total variation do not read the input.
    """

    code = "D-33"
    question = "Which part of the run carries the answer, and how does the model get over a disturbance?"
    definition = (
        "(changed - clean) / (corrupt - clean), of the mean loss: 0 nothing lost, 1 as bad as another puzzle's answer, "
        "below 0 better; now: after the changed segment, end: after the last. Cells: mean total variation of other "
        "cells' answers, over its mean over all of them."
    )
    caveats = ("A replaced state is one that the model has never seen: damage may be that of surprise.",)
    preset = "full"
    kind: Literal["interventions"] = "interventions"
    puzzles: int = 16
    segments: int = 8
    heads: int = 16
    times: int = 6
    cells: int = 4
    told: float = 0.01
    unread: float = 1e-4

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("told", self.told, "H", "hrm-lab: nats a cell"),
            Threshold("unread", self.unread, "D", "hrm-lab: float32 rounding"),
        )

    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        if len(batch) < 2:
            raise NotApplicable("it takes two puzzles or more to put one in another's place")
        depth = min(self.segments, subject.segments)
        middle = depth // 2
        clean = ending(model, batch, depth)
        base = cell_loss(clean.logits, batch.labels).mean(-1)
        other = cell_loss(clean.logits.roll(1, 1), batch.labels).mean(-1)
        table = []
        for change in self._changes(subject, batch, clean, middle):
            run = ending(model, batch, depth, first=middle, states=change.states, forward=change.forward)
            loss = cell_loss(run.logits, batch.labels).mean(-1)
            effect = [self._effect(loss[at], base[at], other[at]) for at in (middle - depth, -1)]
            row: dict[str, Any] = {"target": change.target, "how": change.how, "distance": None, "relation": None}
            row |= {"now": effect[0], "end": effect[1], "loss": float(loss[-1])}
            table.append(row | {"exact": float(exact(run.logits[-1], batch.labels).float().mean())})
        reach = locality(model, batch, clean, middle, self.cells, subject.generator(33))
        scalars = {
            "segment": float(middle),
            "clean_loss": float(base[-1]),
            "corrupt_loss": float(other[-1]),
            "clean_exact": float(exact(clean.logits[-1], batch.labels).float().mean()),
            **reach.scalars,
        }
        apart = (clean.logits[-1].softmax(-1) - clean.logits[-1].roll(1, 0).softmax(-1)).abs().sum(-1).mean() / 2
        findings, blank = list(self._unread(float(apart))), [row["end"] is None for row in table]
        caveats = ["Answers suit other puzzles as well as their own: no effect can be named."] if all(blank) else []
        return Outcome(len(batch), scalars, [*table, *reach.table], findings, caveats)

    def _effect(self, loss: Tensor, clean: Tensor, corrupt: Tensor) -> float | None:
        return ratio(loss - clean, corrupt - clean) if float(corrupt - clean) > self.told else None

    def _changes(self, subject: Subject, batch: Batch, clean: Ending, middle: int) -> Iterator[Change]:
        model, states, generator = subject.model, clean.states[middle], subject.generator()
        for level in model.schedule.levels:
            for how, make in WAYS.items():
                yield Change(level, how, states | {level: make(states[level], generator)})
            if middle:
                yield Change(level, "freeze", states | {level: clean.states[middle - 1][level]})
        for how, make in WAYS.items():
            yield Change("input", how, states, [(f"seg{middle}/input", _replacing(make, generator))])
        if model.embedding.slots:
            yield Change("puzzle slots", "zero", states, [(f"seg{middle}/input", _emptied(model.embedding.slots))])
        for block in _blocks(model):
            yield Change(block, "skip", states, skipped(f"seg{middle}/", block))
        for name, silence in _heads(model, middle)[: self.heads]:
            yield Change(name, "zero", states, [silence])
        depth = len(clean.states)
        for time in sorted({round(at * (depth - 1) / self.times) for at in range(self.times + 1)} - {middle}):
            yield Change("all levels", f"from segment {time}", clean.states[time])

    def _unread(self, apart: float) -> Iterator[Finding]:
        if not apart <= self.unread:  # or no number at all, which is another probe's finding
            return
        yield self.finding(
            "input_unread",
            "fail",
            f"all puzzles get the same answer: their probabilities differ by {apart:.2g} (total variation)",
            "look whether the input reaches the states: the schedule's rows that read it, and the embedding's scale",
            observed=apart,
            threshold=self.unread,
            evidence="D",
        )


def _replacing(make: Callable[[Tensor, torch.Generator], Tensor], generator: torch.Generator) -> Hook:
    def replace(tensor: Tensor, /, *, at: Address) -> Tensor:
        return make(tensor, generator)

    return replace


def _emptied(slots: int) -> Hook:
    def empty(tensor: Tensor, /, *, at: Address) -> Tensor:
        return torch.cat((torch.zeros_like(tensor[:, :slots]), tensor[:, slots:]), dim=1)

    return empty


def _blocks(model: HRM) -> list[str]:
    """Blocks by level: `low.0`."""
    network = {update.target: update.network for update in model.schedule.updates}
    return [
        f"{level}.{number}"
        for level in model.schedule.levels
        for number in range(len(model.networks[network[level]].blocks))  # type: ignore[arg-type]
    ]


def _heads(model: HRM, segment: int) -> list[tuple[str, tuple[str, Hook]]]:
    try:
        places = attention_places(model)
    except NotApplicable:
        return []
    return [
        (f"{place.name} head {head}", (f"seg{segment}/{place.site('heads')}", without_head(head, place.heads)))
        for place in places
        for head in range(place.heads)
    ]
