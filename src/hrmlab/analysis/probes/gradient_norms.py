"""D-02: how the gradient grows or shrinks on its way back through the updates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.gradient_path import expected
from hrmlab.analysis.probes.maths.gradients import learn
from hrmlab.analysis.probes.maths.slots import fresh_slots
from hrmlab.analysis.probes.maths.summary import by_outcome, quartiles
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address, hooks, unroll, with_gradient
from hrmlab.core.carry import Batch
from hrmlab.results.probes import Finding

Lengths = dict[tuple[int, int], Tensor]
"""By segment and row, (B,)."""


@PROBES.register(source="Pascanu et al. 2013, arXiv 1211.5063; thresholds of hrm-lab")
@dataclass(frozen=True, kw_only=True)
class GradientNorms(Probe):
    """Length of the loss's gradient at every update, all rows carrying gradient, over one and over several segments.

    puzzles: how many to run. segments: how many without a cut between them.
    vanishing, exploding: factors over the rows of one segment that are too small or too large.
    """

    code = "D-02"
    question = "Does the gradient vanish or explode on its way back?"
    definition = (
        "|dL/dz_t| of each puzzle, L the loss of the last segment; the rate is the slope of its logarithm (median over "
        "puzzles) over the rows back, the growth e^(rate * rows)."
    )
    caveats = (
        "All rows carry gradient here, whatever the schedule trains.",
        "Over several segments a model that forgets where it began has a vanishing gradient, and is sound.",
    )
    cost = "backward"
    preset = "economy"
    kind: Literal["gradient_norms"] = "gradient_norms"
    puzzles: int = 16
    segments: int = 4
    vanishing: float = 1e-3
    exploding: float = 1e3

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("vanishing", self.vanishing, "H", "hrm-lab"),
            Threshold("exploding", self.exploding, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch, model = subject.some(self.puzzles), subject.model
        right = subject.course.right[: len(batch), -1]
        trained, rows = expected(model.schedule), len(model.schedule.updates)
        table: list[dict[str, Any]] = []
        scalars: dict[str, float | None] = {}
        findings: list[Finding] = []
        for span in dict.fromkeys((1, min(self.segments, subject.segments))):
            found = lengths(subject, batch, span)
            levels: dict[str, list[tuple[int, float]]] = {level: [] for level in model.schedule.levels}
            for (segment, row), values in sorted(found.items()):
                level, back = model.schedule.updates[row].target, (span - segment) * rows - 1 - row
                own = {"trained": segment == span - 1 and row in trained}
                place = {"span": span, "segment": segment, "row": row, "level": level, "back": back}
                numbers = quartiles("gradient", values) | by_outcome(values, right)
                table.append(place | own | numbers)
                if middle := numbers["gradient"]:
                    levels[level].append((back, middle))
            name = "one" if span == 1 else "all"
            for level, points in levels.items():
                rate = slope(points)
                growth = None if rate is None else math.exp(min(rate * _reach(points), 700.0))
                scalars |= {f"{level}_rate_{name}": rate, f"{level}_growth_{name}": growth}
                findings += self._findings(level, growth, _reach(points)) if span == 1 else []
        return Outcome(len(batch), scalars, table, findings)

    def _findings(self, level: str, growth: float | None, reach: int) -> list[Finding]:
        if growth is None or self.vanishing < growth < self.exploding:
            return []
        large = growth >= self.exploding
        seen = f"over {reach} rows back the gradient at '{level}' changes by a factor of {growth:.2g}"
        if large:
            advice = "give fewer rows gradient, or put a norm behind each block (post_norm)"
            return [self.finding("exploding", "warn", seen, advice, observed=growth, threshold=self.exploding)]
        advice = "look for saturated gates, or a block whose output replaces its input instead of being added to it"
        return [self.finding("vanishing", "warn", seen, advice, observed=growth, threshold=self.vanishing)]


def lengths(subject: Subject, batch: Batch, segments: int) -> Lengths:
    """Of each puzzle's gradient by the new state of each update, through all rows of so many segments."""
    view, carry = with_gradient(subject.model), fresh_slots(subject, batch)
    found: Lengths = {}

    def see(gradient: Tensor, /, *, at: Address) -> None:
        found[at.segment, at.row] = gradient.float().flatten(1).norm(dim=1)

    with torch.enable_grad(), hooks(view, backward=[("*.state", see)], segments=segments):
        states = carry.states
        for output in unroll(view, batch, segments - 1, cut=False):
            states = output.states
        _, goal = learn(subject, view, replace(carry, states=states, steps=carry.steps + segments - 1))
        inputs = [p for p in view.parameters() if p.requires_grad]
        torch.autograd.grad(goal.total, inputs, allow_unused=True)
    return found


def slope(points: Sequence[tuple[int, float]]) -> float | None:
    """Of the logarithm of positive values, by least squares; None of fewer than two places."""
    if len({x for x, _ in points}) < 2:
        return None
    x = torch.tensor([float(x) for x, _ in points], dtype=torch.float64)
    y = torch.tensor([y for _, y in points], dtype=torch.float64).log()
    x = x - x.mean()
    return float((x @ y) / (x @ x))


def _reach(points: Sequence[tuple[int, float]]) -> int:
    places = [x for x, _ in points]
    return max(places, default=0) - min(places, default=0)
