"""D-21: whether all positions of a puzzle come to hold the same vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import by_outcome, median, quartiles
from hrmlab.analysis.probes.snapshots import chunks
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import unroll
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM


@PROBES.register(source="after Dong et al. 2021, arXiv 2103.03404, with the Frobenius norm")
@dataclass(frozen=True, kw_only=True)
class TokenCollapse(Probe):
    """How far a puzzle's positions are apart, after every update.

    puzzles: how many to run. collapsed: a smaller spread means that positions can no longer be told apart.
    """

    code = "D-21"
    question = "Do the positions stay different from one another, or do all come to say the same?"
    definition = "Spread |X - mean over positions|_F / |X|_F of each puzzle, and mean cosine of two of its positions."
    preset = "economy"
    kind: Literal["token_collapse"] = "token_collapse"
    puzzles: int = 16
    collapsed: float = 0.01

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("collapsed", self.collapsed, "H", "hrm-lab"),)

    @torch.no_grad()
    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        levels, right = subject.course.levels, subject.course.right[: len(batch), -1]
        parts = [_spreads(model, part, subject.segments) for part in chunks(batch)]
        spread, cosine = (torch.cat(column) for column in zip(*parts, strict=True))
        table: list[dict[str, Any]] = [
            {"segment": step // len(levels), "row": step % len(levels), "level": levels[step % len(levels)]}
            | quartiles("spread", spread[:, step])
            | {"cosine": median(cosine[:, step])}
            | by_outcome(spread[:, step], right)
            for step in range(spread.shape[1])
        ]
        last = {row["level"]: row["spread"] for row in table}
        findings = [
            self.finding(
                "collapsed",
                "fail",
                f"at the end of the run all positions of '{level}' hold the same vector: they differ by {far:.2g} of "
                "its length",
                "look for attention that is uniform, or a mean over positions that drowns what each of them holds",
                observed=far,
                threshold=self.collapsed,
            )
            for level, far in last.items()
            if far is not None and far < self.collapsed
        ]
        return Outcome(len(batch), {f"{level}_last": far for level, far in last.items()}, table, findings)


def _spreads(model: HRM, batch: Batch, segments: int) -> list[Tensor]:
    """`apart` after each of K updates, (B, K) each."""
    seen: list[tuple[Tensor, Tensor]] = []

    def see(_level: str, _clock: tuple[int, int], new: Tensor) -> None:
        seen.append(apart(new))

    for _ in unroll(model, batch, segments, observer=see):
        pass
    return [torch.stack(series, 1) for series in zip(*seen, strict=True)]


def apart(state: Tensor) -> tuple[Tensor, Tensor]:
    """(B, N, W) or (B, N, S, W) -> spread and mean cosine between positions, (B,) each."""
    x = state.float().flatten(1, -2)
    count = x.shape[1]
    off = x - x.mean(1, keepdim=True)
    spread = off.flatten(1).norm(dim=1) / x.flatten(1).norm(dim=1).clamp_min(1e-12)
    whole = torch.nn.functional.normalize(x, dim=-1).sum(1).square().sum(-1)
    return spread, (whole - count) / max(count * (count - 1), 1)
