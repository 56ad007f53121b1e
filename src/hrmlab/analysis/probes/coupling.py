"""D-32: whether the levels listen to each other, and to the puzzle."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.effects import ending, like
from hrmlab.analysis.probes.maths.summary import quartiles, ratio
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address, hooks
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.core.schedule import INPUT, Schedule
from hrmlab.results.probes import Finding


@dataclass(frozen=True)
class Link:
    """One way into a level. written: the row that gave the source its value, -1 for the segment's beginning. read: the
    first row after it that updates the target from the source."""

    source: str
    target: str
    written: int
    read: int


def links(schedule: Schedule) -> Iterator[Link]:
    """Every way into every level, its own state included, as late in the segment as the schedule allows."""
    rows = list(enumerate(schedule.updates))
    for target in schedule.levels:
        for source in (*schedule.levels, INPUT):
            reads = [row for row, u in rows if u.target == target and (source in u.sources or source == target)]
            if reads:
                writes = [row for row, u in rows if u.target == source and row < reads[-1]]
                written = max(writes, default=-1)
                yield Link(source, target, written, next(row for row in reads if row > written))


@PROBES.register(source="hrm-lab; the analogue of Jacobian gains between layers, by finite differences")
@dataclass(frozen=True, kw_only=True)
class Coupling(Probe):
    """How much a level's next state changes when what it reads is changed a little.

    puzzles: how many to run. segments: of these the first and the last are looked at.
    step: size of the change, as a share of the length of what is changed, at every position.
    ignored: a source whose share of a level's response lies below this is ignored.
    deaf: a relative response below this is rounding.
    """

    code = "D-32"
    question = "Do the levels use each other, or is one of them cut off?"
    definition = (
        "gain: |change of the target's next state| / |that state| over the relative size of a random change of the "
        "source; share: of the target's summed gains; size: length of what is added, over the sum of all lengths."
    )
    caveats = (
        "One random direction a puzzle: an average gain, not the largest. Small near a fixed point, whatever is used.",
    )
    preset = "standard"
    kind: Literal["coupling"] = "coupling"
    puzzles: int = 16
    segments: int = 4
    step: float = 0.01
    ignored: float = 0.01
    deaf: float = 1e-4

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("ignored", self.ignored, "H", "hrm-lab: share of a level's response"),
            Threshold("deaf", self.deaf, "D", "hrm-lab: float32 rounding over the step"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch, depth = subject.some(self.puzzles), min(self.segments, subject.segments)
        fresh = {_key(row): row["gain"] for row in self._gains(subject, subject.untrained)}
        table = self._gains(subject, subject.model)
        for row in table:
            row["untrained"] = fresh[_key(row)]
        cross = [row for row in table if row["source"] != row["target"]]
        scalars = {f"{row['source']}_to_{row['target']}": row["gain"] for row in cross if row["segment"] == depth - 1}
        return Outcome(len(batch), scalars, table, [*self._disconnected(cross), *self._unread(subject.model.schedule)])

    @torch.no_grad()
    def _gains(self, subject: Subject, model: HRM) -> list[dict[str, Any]]:
        batch, depth = subject.some(self.puzzles), min(self.segments, subject.segments)
        begun = ending(model, batch, depth).states
        table: list[dict[str, Any]] = []
        for segment in sorted({0, depth - 1}):
            table += self._of_segment(model, batch, begun[segment], segment, subject.generator(segment))
        return table

    def _of_segment(
        self, model: HRM, batch: Batch, states: States, segment: int, generator: torch.Generator
    ) -> list[dict[str, Any]]:
        clean = _passing(model, batch, states)
        rows: list[dict[str, Any]] = []
        for link in links(model.schedule):
            source, target = clean[link.written, link.source], clean[link.read, link.target]
            moved = source + self.step * like(source, generator)
            after = _passing(model, batch, states, link, moved)[link.read, link.target]
            gain = (after - target).flatten(1).norm(dim=1) / target.flatten(1).norm(dim=1).clamp_min(1e-12) / self.step
            size = float(source.flatten(1).norm(dim=1).mean())
            rows.append(
                {"segment": segment, "source": link.source, "target": link.target}
                | quartiles("gain", gain)
                | {"length": size}
            )
        for row in rows:
            into = [other for other in rows if other["target"] == row["target"]]
            known = [other["gain"] for other in into if other["gain"] is not None]
            row["share"] = None if row["gain"] is None else ratio(row["gain"], sum(known))
            row["size"] = ratio(row["length"], sum(other["length"] for other in into))
        return rows

    def _disconnected(self, cross: list[dict[str, Any]]) -> Iterator[Finding]:
        for source, target in dict.fromkeys((row["source"], row["target"]) for row in cross):
            rows = [row for row in cross if (row["source"], row["target"]) == (source, target)]
            if any(row["gain"] is None for row in rows):
                continue  # numbers that are not finite are another probe's finding
            gain = max(row["gain"] for row in rows)
            share = max(row["share"] or 0.0 for row in rows)
            if share >= self.ignored and gain >= self.deaf:
                continue
            deaf = gain < self.deaf
            size = max(row["size"] or 0.0 for row in rows)
            yield self.finding(
                "disconnected",
                "fail" if deaf else "warn",
                f"'{target}' does not answer to '{source}': a change of {self.step:.0%} moves it by {gain:.2g} of it, "
                f"{share:.2%} of its whole response ('{source}' is {size:.1%} of the length that is added)",
                f"look whether the network of '{target}' reads what the schedule adds, and whether '{source}' is too "
                "short beside the rest of the sum",
                observed=gain if deaf else share,
                threshold=self.deaf if deaf else self.ignored,
                evidence="D" if deaf else "H",
            )

    def _unread(self, schedule: Schedule) -> Iterator[Finding]:
        """Levels that the schedule's table itself cuts off."""
        for target in schedule.levels:
            for source in set(schedule.levels) - _reaching(schedule, target):
                yield self.finding(
                    "disconnected",
                    "fail",
                    f"the schedule has no way from '{source}' to '{target}'",
                    f"name '{source}' among the sources of a row that updates '{target}', or take the level out",
                    observed=0,
                    threshold=1,
                    evidence="D",
                )


def _key(row: dict[str, Any]) -> tuple[int, str, str]:
    return row["segment"], row["source"], row["target"]


def _reaching(schedule: Schedule, target: str) -> set[str]:
    """Levels whose state finds its way into a level's, through however many segments."""
    found = {target}
    while True:
        more = found | {source for u in schedule.updates if u.target in found for source in u.sources}
        if more == found:
            return found
        found = more


def _passing(
    model: HRM, batch: Batch, states: States, link: Link | None = None, moved: Tensor | None = None
) -> dict[tuple[int, str], Tensor]:
    """All values of one segment by row and level (-1: at its beginning), one of them replaced where a link says so."""
    found: dict[tuple[int, str], Tensor] = {}

    def see(tensor: Tensor, /, *, at: Address) -> Tensor | None:
        key = (-1, INPUT) if at.site == "input" else (at.row, at.level)
        changed = moved if link is not None and key == (link.written, link.source) else None
        found[key] = tensor if changed is None else changed
        return changed

    if link is not None and moved is not None and link.written < 0 and link.source != INPUT:
        states = states | {link.source: moved}
    with hooks(model, forward=[("input", see), ("*.state", see)]):
        model(states, batch)
    return {(-1, level): state for level, state in states.items()} | found
