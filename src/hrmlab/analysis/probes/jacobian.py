"""D-13: how much a step stretches small errors, and whether it draws them in in the long run."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.linearised import Linearised, Step
from hrmlab.analysis.probes.maths.spectrum import frobenius, growth_rate, signs, spectral_norm
from hrmlab.analysis.probes.maths.summary import median, outcomes
from hrmlab.analysis.probes.steps import joined, moments, segment_step, states_after, tangent_to
from hrmlab.analysis.probes.subject import Subject
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.results.probes import Finding


@PROBES.register(source="Bai et al. 2021, arXiv 2106.14342; growth rate by hrm-lab")
@dataclass(frozen=True, kw_only=True)
class JacobianSpectrum(Probe):
    """Jacobians of a segment and of each level's last update, at a few depths: norm, spectral radius, mean gain.

    puzzles: how many. depths: how many segments, spread evenly up to the last. iterations: products for each number.
    draws: random vectors for the Frobenius norm.
    settled: largest relative change over a segment at which the state counts as a fixed point; elsewhere the spectral
        radius says how the step looks there, and nothing about the long run.
    unstable: median spectral radius of a segment at fixed points that is reported.
    """

    code = "D-13"
    question = "Does a segment draw small errors of the state in, or blow them up?"
    definition = (
        "|J|_2 by power iteration on J^T J; spectral radius by the growth of |J^k v|; gain = |J|_F / sqrt(D) by "
        "Hutchinson's estimate. Directions along normalised state vectors are projected out."
    )
    caveats = (
        "A radius below 1 with a norm above it: errors grow at first and then shrink.",
        "Power iteration approaches the norm from below.",
    )
    cost = "jvp"
    preset = "standard"
    kind: Literal["jacobian"] = "jacobian"
    puzzles: int = 12
    depths: int = 3
    iterations: int = 20
    draws: int = 4
    settled: float = 0.01
    unstable: float = 1.05

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("unstable", self.unstable, "A", "a fixed point with radius 1 or more attracts nothing"),
            Threshold("settled", self.settled, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        model, batch, last = subject.model, subject.some(self.puzzles), subject.segments
        path = states_after(model, batch, last + 1)
        right = subject.course.right[: len(batch), -1]
        table: list[dict[str, Any]] = []
        scalars: dict[str, float | str | None] = {}
        resting = torch.zeros_like(right)
        radii = torch.zeros(len(batch))
        for segment in sorted({max(1, round(last * (k + 1) / self.depths)) for k in range(self.depths)}):
            states, after = path[segment], path[segment + 1]
            z, moved = joined(states), joined(after) - joined(states)
            resting = (moved.norm(dim=1) < self.settled * z.norm(dim=1)).cpu()
            for name, (step, at) in maps(model, batch, states).items():
                found = {key: value.cpu() for key, value in self._numbers(step, at, subject).items()}
                table += [
                    {"segment": segment, "map": name, "puzzle": puzzle, "right": bool(right[puzzle]),
                     "fixed_point": bool(resting[puzzle]), **{key: float(v[puzzle]) for key, v in found.items()}}
                    for puzzle in range(len(batch))
                ]  # fmt: skip
                if segment == last:
                    for key, value in found.items():
                        scalars |= outcomes(f"{name}_{key}", value, right)
                if name == "segment":
                    radii = found["radius"]
        scalars["at_fixed_points"] = int(resting.sum())
        return Outcome(len(batch), scalars, table, self._unstable(radii[resting], last))

    def _numbers(self, step: Step, at: States, subject: Subject) -> dict[str, Tensor]:
        z, project, generator = joined(at), tangent_to(at), subject.generator(13)
        linear = Linearised(step, z)

        def push(v: Tensor) -> Tensor:
            return linear.push(project(v))

        def pull(u: Tensor) -> Tensor:
            return project(linear.pull(u))

        start = torch.randn(z.shape, generator=generator).to(z)
        return {
            "radius": growth_rate(push, start, self.iterations),
            "norm": spectral_norm(push, pull, start, self.iterations),
            "gain": frobenius(pull, signs((self.draws, *z.shape), generator).to(z)) / z.shape[1] ** 0.5,
        }

    def _unstable(self, radii: Tensor, segment: int) -> list[Finding]:
        middle = median(radii)
        if middle is None or middle < self.unstable:
            return []
        return [
            self.finding(
                "unstable",
                "warn",
                f"after segment {segment}, where {len(radii)} puzzles hardly move, the median spectral radius of a "
                f"segment is {middle:.2f}: small errors grow there",
                "average the weights (training.ema), or train with noise on the states",
                observed=middle,
                threshold=self.unstable,
                evidence="A",
            )
        ]


def maps(model: HRM, batch: Batch, states: States) -> dict[str, tuple[Step, States]]:
    """By name, a step and the states it is taken at: the whole segment, and each level's last update in it.

    A model whose segment is one single update has the segment alone.
    """
    found: dict[str, tuple[Step, States]] = {"segment": (segment_step(model, batch, states), states)}
    if len(model.schedule.updates) == 1:
        return found
    for moment in moments(model, batch, states):
        level = moment.update.target
        found[level] = (moment.of_state, {level: moment.states[level]})
    return found
