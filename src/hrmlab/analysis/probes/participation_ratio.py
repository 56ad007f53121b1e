"""D-19: how many directions the states of each level fill."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.dimension import Participation, harmonic_cap, participation
from hrmlab.analysis.probes.snapshots import snapshots
from hrmlab.analysis.probes.subject import Subject
from hrmlab.core.model import HRM

SWEEP = (10, 25, 50, 100, 200)


@PROBES.register(
    source="Wang et al. 2025, arXiv 2506.21734, section 4; corrections after Chun et al. 2026, derived in `dimension`"
)
@dataclass(frozen=True, kw_only=True)
class ParticipationRatio(Probe):
    """Participation ratio of each level's states, plain and corrected, against the number of trajectories.

    puzzles: trajectories, one a puzzle. positions: looked at in each. draws: see `dimension.participation`.
    pooling: "positions" takes each position's vector as a row, "mean" the mean over those positions.
    """

    code = "D-19"
    question = "How many dimensions do the states of each level use, and do slow levels use more than fast ones?"
    definition = (
        "(sum of l)^2 / sum of l^2, l the eigenvalues of the covariance of states at the ends of segments; corrected "
        "by averaging over distinct trajectories (rows), distinct units (columns), or both."
    )
    caveats = (
        "The paper gives no pooling and no number of rows; its values (30.2 low, 90.0 high, ratio 2.98; untrained 42.1 "
        "and 40.8) may be compared in kind only.",
        "The plain estimate grows with the number of trajectories even where nothing else does: it cannot pass `cap`, "
        "nor `cap_settled` where the states of one trajectory are all alike.",
        "Corrected by columns, units count as a sample of more units; None: the data set no upper bound.",
    )
    kind: Literal["participation_ratio"] = "participation_ratio"
    puzzles: int = 64
    positions: int = 32
    draws: int = 128
    pooling: Literal["positions", "mean"] = "positions"

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    def measure(self, subject: Subject) -> Outcome:
        levels = subject.model.schedule.levels
        table = [*self._rows(subject, "trained", subject.model), *self._rows(subject, "untrained", subject.untrained)]
        n = max(row["trajectories"] for row in table)
        whole = {(row["model"], row["level"]): row for row in table if row["trajectories"] == n}
        scalars: dict[str, float | str | None] = {"pooling": self.pooling, "width": subject.model.config.size.width}
        for level in levels:
            scalars |= {
                f"{level}_naive": whole["trained", level]["naive"],
                f"{level}_by_rows": whole["trained", level]["by_rows"],
                f"{level}_untrained_by_rows": whole["untrained", level]["by_rows"],
            }
        if len(levels) > 1:
            scalars["ratio"] = _over(whole["trained", levels[0]], whole["trained", levels[-1]])
            scalars["ratio_untrained"] = _over(whole["untrained", levels[0]], whole["untrained", levels[-1]])
        return Outcome(n, scalars, table)

    def _rows(self, subject: Subject, name: str, model: HRM) -> list[dict[str, Any]]:
        batch = subject.some(self.puzzles)
        kept = snapshots(model, batch, subject.segments, self.positions, subject.generator(19))
        counts = [count for count in SWEEP if count < len(batch)] + [len(batch)]
        return [
            {"model": name, "level": level, "trajectories": count, "rows": rows.shape[0] * rows.shape[1]}
            | {"cap": harmonic_cap(rows.shape[0] * rows.shape[1], rows.shape[2])}
            | {"cap_settled": harmonic_cap(count, rows.shape[2])}
            | asdict(self._ratios(subject, rows))
            for level, states in kept.items()
            for count in counts
            for rows in [self._pooled(states[:, :count])]
        ]

    def _pooled(self, states: Tensor) -> Tensor:
        """(T, n, P, W) -> (n, rows, W)."""
        each = states.transpose(0, 1)
        return each.mean(2) if self.pooling == "mean" else each.flatten(1, 2)

    def _ratios(self, subject: Subject, rows: Tensor) -> Participation:
        return participation(rows, self.draws, subject.generator(190))


def _over(slow: dict[str, Any], fast: dict[str, Any]) -> float | None:
    return slow["by_rows"] / fast["by_rows"] if slow["by_rows"] and fast["by_rows"] else None
