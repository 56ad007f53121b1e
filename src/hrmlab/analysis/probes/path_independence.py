"""D-16: whether the end of a run depends on where it began."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import mean, outcomes
from hrmlab.analysis.probes.steps import joined
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import answering, beginning
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.results.probes import Finding


@PROBES.register(source="Anil et al. 2022, arXiv 2211.09961, algorithm 1")
@dataclass(frozen=True, kw_only=True)
class PathIndependence(Probe):
    """The run again from another puzzle's final states ("swap") and from noise, as restarts do ("noise").

    puzzles: how many.
    disagree: median share of cells that may differ after noise, of puzzles solved the first time; asked for only where
        evaluation restarts.
    """

    code = "D-16"
    question = "Does the model reach the same end from wherever it begins?"
    definition = (
        "Alignment = cosine of the final states of two runs, all levels together; agreement = share of scored cells "
        "answered alike. Near 1 and 1: the end is the puzzle's alone."
    )
    caveats = ("States that mean the same may differ in directions that no answer reads: see the agreement too.",)
    preset = "standard"
    kind: Literal["path_independence"] = "path_independence"
    puzzles: int = 32
    disagree: float = 0.1

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("disagree", self.disagree, "H", "hrm-lab"),)

    def measure(self, subject: Subject) -> Outcome:
        model, batch, segments = subject.model, subject.some(self.puzzles), subject.segments
        once = answering(model, batch, segments)
        right, scored = once.right[:, -1].cpu(), batch.labels >= 0
        starts = {"noise": noisy_beginning(model, batch, subject.generator(16))}
        if len(batch) > 1:
            starts["swap"] = {level: state.roll(1, 0) for level, state in once.states.items()}
        table: list[dict[str, Any]] = []
        scalars: dict[str, float | str | None] = {}
        for name, start in starts.items():
            twice = answering(model, batch, segments, start)
            alignment = torch.cosine_similarity(joined(once.states), joined(twice.states), dim=1).cpu()
            same = (once.tokens[:, -1] == twice.tokens[:, -1]) & scored
            agreement = (same.sum(1) / scored.sum(1).clamp_min(1)).cpu()
            again = twice.right[:, -1].cpu()
            scalars |= outcomes(f"{name}_alignment", alignment, right) | outcomes(f"{name}_agreement", agreement, right)
            scalars[f"{name}_right"] = mean(again)
            table += [
                {"start": name, "puzzle": at, "right": bool(right[at]), "alignment": float(alignment[at]),
                 "agreement": float(agreement[at]), "right_again": bool(again[at])}
                for at in range(len(right))
            ]  # fmt: skip
        scalars["right"] = mean(right)
        return Outcome(len(right), scalars, table, self._dependent(scalars["noise_agreement_right"], subject))

    def _dependent(self, agreement: float | str | None, subject: Subject) -> list[Finding]:
        """Where evaluation restarts puzzles from noise; elsewhere nothing ever begins there."""
        every = subject.evaluation.restart_every
        if every is None or not isinstance(agreement, float) or agreement >= 1 - self.disagree:
            return []
        return [
            self.finding(
                "dependent",
                "warn",
                f"evaluation begins again from noise after {every} segments, but begun there the median solved puzzle "
                f"ends with {agreement:.0%} of its cells as before",
                "do without restarts, or train with more segments (halting.max_segments)",
                observed=1 - agreement,
                threshold=self.disagree,
                patch={"evaluation.restart_every": None},
            )
        ]


def noisy_beginning(model: HRM, batch: Batch, generator: torch.Generator) -> States:
    """The initial vectors plus unit normal noise, as restarts in inference draw it (`halting.restart_every`)."""
    return {
        level: state + torch.randn(state.shape, generator=generator).to(state)
        for level, state in beginning(model, batch).items()
    }
