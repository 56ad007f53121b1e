"""D-22: how alike the states are across segments and levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from hrmlab.analysis.probes.alignment import similarities
from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.snapshots import snapshots
from hrmlab.analysis.probes.subject import Subject


@PROBES.register(source="Kornblith et al. 2019, arXiv 1905.00414; unbiased HSIC of Song et al. 2012")
@dataclass(frozen=True, kw_only=True)
class Similarity(Probe):
    """Debiased linear CKA between the states of all levels after all segments.

    puzzles: how many to run. positions: looked at in each, as rows of their own.
    same: levels as alike as this after the last segment hold the same thing.
    """

    code = "D-22"
    question = "Do the representations go on changing, and do the levels hold different things?"
    definition = "HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)) with unbiased HSIC, over puzzles and positions."
    caveats = ("Positions of one puzzle are not independent, which raises values that should be near 0.",)
    kind: Literal["similarity"] = "similarity"
    puzzles: int = 48
    positions: int = 8
    same: float = 0.99

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("same", self.same, "H", "hrm-lab"),)

    def measure(self, subject: Subject) -> Outcome:
        batch = subject.some(self.puzzles)
        kept = snapshots(subject.model, batch, subject.segments, self.positions, subject.generator(22))
        names = [(level, segment) for level in kept for segment in range(subject.segments)]
        found = similarities([kept[level][segment].flatten(0, 1) for level, segment in names])
        table = [
            {"a": a[0], "a_segment": a[1], "b": b[0], "b_segment": b[1], "similarity": float(found[row, column])}
            for row, a in enumerate(names)
            for column, b in enumerate(names)
        ]
        place = {name: at for at, name in enumerate(names)}
        last = subject.segments - 1
        scalars: dict[str, float | str | None] = {
            f"{level}_first_last": float(found[place[level, 0], place[level, last]]) for level in kept
        }
        findings = []
        for slow, fast in zip(list(kept), list(kept)[1:], strict=False):
            value = float(found[place[slow, last], place[fast, last]])
            scalars[f"{slow}_{fast}_last"] = value
            if value >= self.same:
                findings.append(
                    self.finding(
                        "same_levels",
                        "info",
                        f"after the last segment '{slow}' and '{fast}' hold the same thing: similarity {value:.3f}",
                        "try a schedule of one state (`model.schedule=single_state`): the second level may add nothing",
                        observed=value,
                        threshold=self.same,
                    )
                )
        return Outcome(int(torch.tensor(kept[names[0][0]].shape[1:3]).prod()), scalars, table, findings)
