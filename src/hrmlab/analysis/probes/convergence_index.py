"""D-10: whether a fast level settles within each cycle and is thrown back by the level above it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.course import Course, record_course
from hrmlab.analysis.probes.maths.summary import mean, median, outcomes, quartiles
from hrmlab.analysis.probes.subject import Subject

SMALL = 1e-12


@PROBES.register(source="hrm-lab; makes a number of Wang et al. 2025, arXiv 2506.21734, figure 3")
@dataclass(frozen=True, kw_only=True)
class ConvergenceIndex(Probe):
    """The hierarchical convergence of HRM: a fast level converges within a cycle, the slow update starts it anew.

    control: puzzles that the same model with fresh weights runs on, for comparison; 0 for none.
    """

    code = "D-10"
    question = "Does each slow update restart a fast level that had converged?"
    definition = (
        "Spike = residual of the first fast update after a slow one / of the last before it; contraction = last / "
        "first residual inside a cycle; index = share of cycles with spike > 1 and contraction < 1; slope = of ln "
        "residual of the slow level, a segment."
    )
    caveats = (
        "No published threshold: compare with the untrained model beside it.",
        "With two fast updates a cycle the contraction is one single ratio.",
    )
    preset = "economy"
    kind: Literal["convergence_index"] = "convergence_index"
    control: int = 32

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    def measure(self, subject: Subject) -> Outcome:
        levels, course = subject.model.schedule.levels, subject.course
        if len(levels) < 2:
            raise NotApplicable("the model has one level, so that nothing restarts it")
        control = None
        if self.control:
            control = record_course(subject.untrained, subject.some(self.control), subject.segments)
        right = course.right[:, -1]
        scalars: dict[str, float | str | None] = {}
        table: list[dict[str, Any]] = []
        for slow, fast in pairwise(levels):
            spike, contraction = cycles(course, slow, fast)
            if not contraction.numel():
                continue
            hits = ((spike > 1) & (contraction < 1)).float()
            name = "" if len(levels) == 2 else f"{fast}_"
            scalars |= outcomes(f"{name}index", hits.mean(1), right)
            scalars |= {f"{name}spike": median(spike), f"{name}contraction": median(contraction)}
            scalars[f"{name}slope"] = median(slope(course, slow))
            if control is not None:
                ours = cycles(control, slow, fast)
                scalars[f"{name}index_untrained"] = mean((ours[0] > 1) & (ours[1] < 1))
            table += [
                {"slow": slow, "fast": fast, "cycle": at, "index": mean(hits[:, at])}
                | quartiles("spike", spike[:, at])
                | quartiles("contraction", contraction[:, at])
                for at in range(hits.shape[1])
            ]
        if not table:
            raise NotApplicable("no fast level is updated twice between two updates of the level above it")
        return Outcome(len(right), scalars, table)


def cycles(course: Course, slow: str, fast: str) -> tuple[Tensor, Tensor]:
    """Spike and contraction, each (n, C), of every cycle but the first: the fast updates after one slow update.

    Cycles of fewer than two fast updates are left out.
    """
    count, segments = course.residual.shape[:2]
    series, order = course.residual.reshape(count, -1), course.levels * segments
    runs: list[list[int]] = [[]]
    for at, level in enumerate(order):
        if level == slow:
            runs.append([])
        elif level == fast:
            runs[-1].append(at)
    spikes, contractions = [], []
    for before, now in pairwise(runs):
        if before and len(now) > 1:
            first, last = series[:, now[0]].clamp_min(SMALL), series[:, now[-1]]
            spikes.append(first / series[:, before[-1]].clamp_min(SMALL))
            contractions.append(last / first)
    if not spikes:
        return series[:, :0], series[:, :0]
    return torch.stack(spikes, 1), torch.stack(contractions, 1)


def slope(course: Course, level: str) -> Tensor:
    """Slope of ln residual of a level over the segments, by least squares, (n,)."""
    heights = course.residual[:, :, course.rows_of(level)].clamp_min(SMALL).log().mean(2)
    x = torch.arange(heights.shape[1], dtype=heights.dtype)
    x = x - x.mean()
    return (heights * x).sum(1) / x.square().sum().clamp_min(SMALL)
