"""D-20: effective and stable rank of the states, segment by segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.dimension import effective_rank
from hrmlab.analysis.probes.snapshots import snapshots
from hrmlab.analysis.probes.subject import Subject


@PROBES.register(source="Roy and Vetterli 2007; as RankMe, Garrido et al. 2023, arXiv 2210.02885")
@dataclass(frozen=True, kw_only=True)
class EffectiveRank(Probe):
    """Effective rank of each level's states over puzzles and positions, after every segment.

    puzzles, positions: how many to look at. collapsed: states of a lower rank lie on a line, or are all alike.
    """

    code = "D-20"
    question = "Do the states keep their dimensions while the model thinks, or fall onto a few directions?"
    definition = "exp(-sum p ln p), p the singular values of the centred states over their sum; |X|_F^2 / |X|_2^2."
    caveats = ("Shares of the width of models with norms that remove a direction stay below one.",)
    kind: Literal["effective_rank"] = "effective_rank"
    puzzles: int = 32
    positions: int = 32
    collapsed: float = 1.05

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("collapsed", self.collapsed, "H", "hrm-lab"),)

    def measure(self, subject: Subject) -> Outcome:
        batch, width = subject.some(self.puzzles), subject.model.config.size.width
        mine = snapshots(subject.model, batch, subject.segments, self.positions, subject.generator(20))
        fresh = snapshots(subject.untrained, batch, subject.segments, self.positions, subject.generator(20))
        table: list[dict[str, Any]] = []
        for level, states in mine.items():
            for segment in range(len(states)):
                rank, stable = effective_rank(states[segment].flatten(0, 1))
                control, _ = effective_rank(fresh[level][segment].flatten(0, 1))
                table.append(
                    {"level": level, "segment": segment, "effective_rank": rank, "stable_rank": stable}
                    | {"share": rank / width, "untrained": control}
                )
        last = {row["level"]: row["effective_rank"] for row in table if row["segment"] == subject.segments - 1}
        findings = [
            self.finding(
                "collapsed",
                "warn",
                f"after the last segment the states of '{level}' have an effective rank of {rank:.2f} in {width} "
                "dimensions: they hardly differ in more than one direction",
                "look at the rank over training; a lower learning rate or less weight decay keeps more directions",
                observed=rank,
                threshold=self.collapsed,
            )
            for level, rank in last.items()
            if rank < self.collapsed
        ]
        return Outcome(len(batch), {f"{level}_last": rank for level, rank in last.items()}, table, findings)
