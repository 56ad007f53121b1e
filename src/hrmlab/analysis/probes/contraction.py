"""D-14: what a segment does to errors of a finite size, and how fast steps shrink."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import median, outcomes, quartiles
from hrmlab.analysis.probes.settling import drift
from hrmlab.analysis.probes.steps import joined, segment_step, states_after
from hrmlab.analysis.probes.subject import Subject

SMALL = 1e-12


@PROBES.register(source="EqR, arXiv 2605.21488, for rates of convergence; finite-size gains by hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Contraction(Probe):
    """By how much a segment shrinks a disturbance of its states, by the disturbance's size and direction.

    puzzles: how many. sizes: lengths of the disturbance, in lengths of the state.
    """

    code = "D-14"
    question = "Does a segment forget a disturbance of the state, and up to which size?"
    definition = (
        "kappa = |F(z + d) - F(z)| / |d| at the last segment's states, for random d and for d towards another "
        "puzzle's states; rate = d_k / d_(k-1) of the drifts of successive segments."
    )
    caveats = ("A gain below 1 in random directions does not rule out one above 1 in a rare direction: see D-13.",)
    preset = "standard"
    kind: Literal["contraction"] = "contraction"
    puzzles: int = 32
    sizes: tuple[float, ...] = (0.001, 0.01, 0.1, 0.3, 1.0)

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    @torch.no_grad()
    def measure(self, subject: Subject) -> Outcome:
        batch = subject.some(self.puzzles)
        states = states_after(subject.model, batch, subject.segments)[-1]
        right = subject.course.right[: len(batch), -1]
        z = joined(states)
        step = segment_step(subject.model, batch, states)
        base = step(z)
        directions = {"random": torch.randn(z.shape, generator=subject.generator(14)).to(z)}
        if len(batch) > 1:
            directions["swap"] = z.roll(1, 0) - z
        table: list[dict[str, Any]] = []
        scalars: dict[str, float | str | None] = {}
        for name, direction in directions.items():
            unit = direction / direction.norm(dim=1, keepdim=True).clamp_min(SMALL)
            for size in self.sizes:
                d = unit * (size * z.norm(dim=1, keepdim=True))
                kappa = ((step(z + d) - base).norm(dim=1) / d.norm(dim=1).clamp_min(SMALL)).cpu()
                table.append(
                    {"direction": name, "size": size} | quartiles("kappa", kappa)
                    | {"right": median(kappa[right]), "wrong": median(kappa[~right])}
                )  # fmt: skip
                scalars[f"{name}_{size:g}"] = median(kappa)
        rate, spread = rates(drift(subject.course))
        scalars |= outcomes("rate", rate, subject.course.right[:, -1])
        scalars["rate_spread"] = median(spread)
        return Outcome(len(batch), scalars, table)


def rates(moved: Tensor) -> tuple[Tensor, Tensor]:
    """Of drifts, (n, T): the geometric mean of their ratios from one segment to the next, and the deviation of these.

    Both (n,), 1 and 0 where there is one segment only.
    """
    logs = moved.clamp_min(SMALL).log().diff(dim=1)
    if not logs.shape[1]:
        return torch.ones(len(moved)), torch.zeros(len(moved))
    return logs.mean(1).exp(), logs.exp().std(1, correction=0)
