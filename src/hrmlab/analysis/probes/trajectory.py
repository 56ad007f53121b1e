"""D-18: the way of the states in the plane that shows most of it, over a landscape of broken rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.principal import Plane, principal
from hrmlab.analysis.probes.steps import states_after
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import some
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.spec import TaskSpec


@PROBES.register(source="arXiv 2601.10679: trajectories and landscape; conflicts as there, from the task's relations")
@dataclass(frozen=True, kw_only=True)
class Trajectory(Probe):
    """Trajectories of the answer level by their first principal axes, and one puzzle's landscape in its own plane.

    puzzles: trajectories. grid: points along each side of the landscape, with an arrow at every second.
    margin: how far the landscape reaches beyond the trajectory, in its extents.
    """

    code = "D-18"
    question = "Where do the states go, and what do answers look like beside their way?"
    definition = (
        "Axes of the answer level's states, positions joined, over all puzzles and segments; landscape: the plane of "
        "one puzzle's own axes through its final state, each point decoded, height = symbols too many in its groups "
        "(wrong cells where the task has no such groups); arrows: one segment from there, projected."
    )
    caveats = ("Two axes of thousands: the share of the variance in the plane says how little is seen.",)
    preset = "standard"
    kind: Literal["trajectory"] = "trajectory"
    puzzles: int = 32
    grid: int = 21
    margin: float = 0.25

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    @torch.no_grad()
    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        path = states_after(model, batch, subject.segments)
        level = model.schedule.answer
        ways = torch.stack([states[level].flatten(1).cpu() for states in path[1:]], 1)  # (n, T, D)
        plane = principal(ways.flatten(0, 1)) if ways.shape[1] > 1 else None
        right = subject.course.right[: len(batch), -1]
        shown = int((~right).float().argmax())  # the first that is wrong, or the first
        own = principal(ways[shown])
        if plane is None or own is None:
            raise NotApplicable("the states do not move in two directions")
        places = plane.project(ways)
        table = [
            _point("all", at, t + 1, places[at, t], None, bool(right[at]))
            for at in range(len(right))
            for t in range(ways.shape[1])
        ]
        final = {name: state[shown : shown + 1] for name, state in path[-1].items()}
        table += self._landscape(model, some(batch, torch.tensor([shown])), final, own, ways[shown])
        spectrum = plane.shares.square().sum()
        scalars: dict[str, float | str | None] = {
            "in_plane": float(plane.shares[:2].sum()),
            "in_own_plane": float(own.shares[:2].sum()),
            "in_ten_axes": float(plane.shares[:10].sum()),
            "effective_axes": float(1 / spectrum),
            "shown_puzzle": shown,
            "height": "symbols too many" if exclusive(model.spec) else "wrong cells",
        }
        return Outcome(len(right), scalars, table)

    def _landscape(self, model: HRM, one: Batch, final: States, plane: Plane, way: Tensor) -> list[dict[str, Any]]:
        """The puzzle's way in its own plane, and heights and arrows beside it; lengths in states of final length."""
        level, end = model.schedule.answer, way[-1]
        origin = plane.project(end)
        places = plane.project(way) - origin
        low, high = places.amin(0), places.amax(0)
        room = self.margin * (high - low).amax()
        sides = [torch.linspace(float(a - room), float(b + room), self.grid) for a, b in zip(low, high, strict=True)]
        points = torch.cartesian_prod(*sides)
        inside = end + plane.lift(points)
        count = len(points)
        states = {name: state.expand(count, *state.shape[1:]) for name, state in final.items()}
        states[level] = inside.to(final[level]).reshape(count, *final[level].shape[1:])
        many = Batch(*(part.expand(count, *part.shape[1:]) for part in (one.inputs, one.labels, one.identifiers)))
        answers = model.embedding.logits(states[level]).argmax(-1)
        heights = broken(model.spec, many, answers).cpu()
        arrows = plane.project(model(states, many).states[level].flatten(1).cpu()) - origin - points
        table = [_point("way", "", t + 1, place, None, None) for t, place in enumerate(places)]
        table += [
            _point("land", "", at, point, float(height), None, arrow)
            for at, (point, height, arrow) in enumerate(zip(points, heights, arrows, strict=True))
        ]
        return table


def exclusive(spec: TaskSpec) -> list[Tensor]:
    """Groups of cells, each (G, N) booleans, that hold every symbol once: those as large as there are symbols."""
    if spec.symbols is None:
        return []
    found = []
    for relation in spec.relations:
        if relation.groups is not None:
            groups = torch.as_tensor(relation.groups)
            members = torch.arange(int(groups.max()) + 1)[:, None] == groups
            if bool((members.sum(1) == len(spec.symbols.tokens)).all()):
                found.append(members)
    return found


def broken(spec: TaskSpec, batch: Batch, answers: Tensor) -> Tensor:
    """How far answers, (B, N), are from keeping the rules, (B,): symbols too many in groups that hold each once.

    Without such groups the number of wrong cells.
    """
    groups = exclusive(spec)
    if not groups or spec.symbols is None:
        return ((answers != batch.labels) & (batch.labels >= 0)).sum(1).float()
    symbols = torch.tensor(spec.symbols.tokens, device=answers.device)
    here = (answers[..., None] == symbols).float()  # (B, N, S)
    members = torch.cat(groups).to(here)
    return (members @ here - 1).clamp_min(0).sum((1, 2))


def _point(
    part: str,
    line: int | str,
    step: int,
    place: Tensor,
    height: float | None,
    right: bool | None,
    arrow: Tensor | None = None,
) -> dict[str, Any]:
    dx, dy = (None, None) if arrow is None else arrow.tolist()
    return {"part": part, "line": line, "step": step, "x": float(place[0]), "y": float(place[1]),
            "height": height, "dx": dx, "dy": dy, "right": right}  # fmt: skip
