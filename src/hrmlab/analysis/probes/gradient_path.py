"""D-01: which updates the gradient reaches, and whether it stays inside the segment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address, clocks, hooks
from hrmlab.core.act import objective, segment
from hrmlab.core.schedule import Schedule
from hrmlab.results.probes import Finding


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734, section 2; TRM, arXiv 2510.04871, figure 3")
@dataclass(frozen=True, kw_only=True)
class GradientPath(Probe):
    """Which updates of a segment carry gradient, and whether any leaks into the next segment.

    puzzles: how many to run.
    """

    code = "D-01"
    question = "Does the gradient reach every update that it should, and no other?"
    definition = "Length of the loss's gradient by each update's new state; expected rows are read off the schedule."
    caveats = ("Lengths are of one batch; which rows have any is exact.",)
    cost = "backward"
    preset = "economy"
    kind: Literal["gradient_path"] = "gradient_path"
    puzzles: int = 16

    def thresholds(self) -> Sequence[Threshold]:
        return (Threshold("rows with gradient", "exactly the schedule's", "V", "arXiv 2506.21734, section 2"),)

    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        lengths: dict[int, float] = {}

        def see(gradient: Tensor, /, *, at: Address) -> None:
            lengths[at.row] = float(gradient.float().norm()) if at.segment == 0 else lengths.get(at.row, 0.0)

        carry = model.empty_carry(batch)
        carry = carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))
        with torch.enable_grad(), hooks(model, backward=[("*.state", see)]):
            step = segment(model, carry, subject.halting, check=subject.task.valid)
            goal = objective(step, subject.loss, subject.halting)
            (goal.total / len(batch)).backward()  # type: ignore[no-untyped-call]
        kept = [level for level, state in step.carry.states.items() if state.requires_grad]
        model.zero_grad()
        wanted = expected(model.schedule)
        rows: list[dict[str, Any]] = [
            {
                "row": row,
                "address": "/".join(f"{name}{number}" for name, number in clock),
                "level": update.target,
                "network": update.network,
                "expected": row in wanted,
                "gradient": lengths.get(row, 0.0),
            }
            for row, (update, clock) in enumerate(zip(model.schedule.updates, clocks(model.schedule), strict=True))
        ]
        return Outcome(
            len(batch),
            {
                "rows_expected": len(expected(model.schedule)),
                "rows_with_gradient": sum(r["gradient"] > 0 for r in rows),
            },
            rows,
            [*self._unreached(rows), *self._leaks(kept)],
        )

    def _unreached(self, rows: list[dict[str, Any]]) -> list[Finding]:
        missing = [row for row in rows if row["expected"] and not row["gradient"]]
        if not missing:
            return []
        where = ", ".join(f"row {row['row']} ({row['level']})" for row in missing)
        return [
            self.finding(
                "unreached",
                "fail",
                f"no gradient arrives at {where}, though the schedule says that it should",
                "look for a detach() or no_grad() inside that level's network, or a state that is not read",
                observed=len(rows) - len(missing),
                threshold=len(rows),
                evidence="V",
            )
        ]

    def _leaks(self, levels: list[str]) -> list[Finding]:
        if not levels:
            return []
        return [
            self.finding(
                "leak",
                "fail",
                f"the carried state of {', '.join(levels)} still hangs on the graph of the segment before, so that "
                "memory grows with every segment",
                "detach the states between segments (`core.model.detached`)",
                observed=len(levels),
                threshold=0,
                evidence="V",
            )
        ]


def expected(schedule: Schedule) -> set[int]:
    """Rows from whose new state the answer's gradient flows: on a path of gradient rows to the end."""
    wanted, found = {schedule.answer}, set()
    for row in range(len(schedule.updates) - 1, -1, -1):
        update = schedule.updates[row]
        if update.target not in wanted:
            continue
        if not update.grad:
            wanted.discard(update.target)
            continue
        found.add(row)
        wanted |= {update.target, *update.sources}
    return found
