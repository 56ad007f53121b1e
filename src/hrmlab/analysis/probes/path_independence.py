"""D-16: whether the end of a run depends on where it began."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import by_outcome, mean
from hrmlab.analysis.probes.steps import joined
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import answering
from hrmlab.core.recurrence import States


@PROBES.register(source="Anil et al. 2022, arXiv 2211.09961, algorithm 1")
@dataclass(frozen=True, kw_only=True)
class PathIndependence(Probe):
    """The run again from another puzzle's final states ("swap") and from noise of the same size ("noise").

    puzzles: how many. disagree: median share of right cells that may differ at puzzles solved the first time.
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
        starts = {"noise": noise_like(once.states, subject.generator(16))}
        if len(batch) > 1:
            starts["swap"] = {level: state.roll(1, 0) for level, state in once.states.items()}
        table: list[dict[str, Any]] = []
        scalars: dict[str, float | str | None] = {}
        findings = []
        for name, start in starts.items():
            twice = answering(model, batch, segments, start)
            alignment = torch.cosine_similarity(joined(once.states), joined(twice.states), dim=1).cpu()
            same = (once.tokens[:, -1] == twice.tokens[:, -1]) & scored
            agreement = (same.sum(1) / scored.sum(1).clamp_min(1)).cpu()
            again = twice.right[:, -1].cpu()
            scalars |= by_outcome(f"{name}_alignment", alignment, right) | by_outcome(
                f"{name}_agreement", agreement, right
            )
            scalars[f"{name}_right"] = mean(again)
            table += [
                {"start": name, "puzzle": at, "right": bool(right[at]), "alignment": float(alignment[at]),
                 "agreement": float(agreement[at]), "right_again": bool(again[at])}
                for at in range(len(right))
            ]  # fmt: skip
            if right.any() and float(agreement[right].median()) < 1 - self.disagree:
                findings.append(
                    self.finding(
                        "dependent",
                        "warn",
                        f"begun from {name}, the median solved puzzle ends with "
                        f"{float(agreement[right].median()):.0%} of its cells as before",
                        "train with more segments (halting.max_segments), and begin some runs from random states",
                        observed=1 - float(agreement[right].median()),
                        threshold=self.disagree,
                    )
                )
        scalars["right"] = mean(right)
        return Outcome(len(right), scalars, table, findings)


def noise_like(states: States, generator: torch.Generator) -> States:
    """Normal noise of each level's root mean square."""
    return {
        level: torch.randn(state.shape, generator=generator).to(state) * state.square().mean().sqrt()
        for level, state in states.items()
    }
