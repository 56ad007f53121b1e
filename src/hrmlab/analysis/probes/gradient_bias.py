"""D-03: how far the training gradient is from the whole one."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.adjoint import linearised, solve
from hrmlab.analysis.probes.maths.gradients import (
    ROWS,
    Gradients,
    cosine,
    dense,
    flat,
    learn,
    sign_agreement,
    stepped,
    training_gradient,
)
from hrmlab.analysis.probes.maths.slots import pick, training_batch, training_slots
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import with_gradient
from hrmlab.analysis.tracing.unroll import some
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.schedule import Schedule
from hrmlab.errors import ConfigError
from hrmlab.results.probes import Finding


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734, eq. 1-3; Fung et al. 2022, arXiv 2103.12803")
@dataclass(frozen=True, kw_only=True)
class GradientBias(Probe):
    """The training gradient beside that of the last k rows, of all rows, and of the fixed point, by parameter group.

    puzzles: how many, each at a segment that it has in training.
    most: how many values of k to look at.
    step: length of the descent test's steps, as a share of the parameters' length.
    iterations, tolerance: of the adjoint, for the implicit gradient.
    noise: share of the ceiling below which the training gradient's cosine is too low.
    """

    code = "D-03"
    question = "Does the gradient that training uses point where the whole gradient does?"
    definition = (
        "Cosine, ratio of lengths, relative error and share of equal signs against back-propagation through all rows "
        "of the segment; ceiling: cosine between the whole gradients of two half batches."
    )
    caveats = ("Implicit gradients belong to fixed points; `adjoint` says how near the states are to one.",)
    cost = "backward"
    preset = "standard"
    kind: Literal["gradient_bias"] = "gradient_bias"
    puzzles: int = 32
    most: int = 6
    step: float = 1e-4
    iterations: int = 30
    tolerance: float = 1e-2
    noise: float = 0.5

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("cosine", 0.0, "D", "a direction that does not descend"),
            Threshold("cosine as a share of the ceiling", self.noise, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch = training_batch(subject, self.puzzles)
        carry = training_slots(subject, batch)
        whole = training_gradient(subject, carry, with_gradient(subject.model))
        ceiling = self._ceiling(subject, carry)
        training = training_gradient(subject, carry)
        table = compared("training", 0, "full", training, whole, ceiling)
        for k in counts(subject.model.schedule, self.most):
            partial = training_gradient(subject, carry, with_gradient(subject.model, k))
            table += compared("rows", k, "full", partial, whole, ceiling)
        near = self._implicit(subject, batch)
        table += near
        first = table[0]
        scalars = {
            "cosine": first["cosine"],
            "ceiling": first["ceiling"],
            "ratio": first["ratio"],
            "sign_agreement": first["signs"],
            "cosine_implicit": near[0]["cosine"] if near else None,
            "descent_training": self._descent(subject, carry, training),
            "descent_full": self._descent(subject, carry, whole),
        }
        return Outcome(len(batch), scalars, table, self._findings(subject, table))

    def _ceiling(self, subject: Subject, carry: Carry) -> dict[str, float | None]:
        """By group and for `all`; nothing of a single puzzle."""
        count, full = len(carry.batch), with_gradient(subject.model)
        if count < 2:
            return {}
        order = torch.randperm(count, generator=subject.generator(1)).to(carry.steps.device)
        a, b = (
            training_gradient(subject, pick(carry, rows), full) for rows in (order[: count // 2], order[count // 2 :])
        )
        groups = {group: cosine(a[group], b[group]) for group in a if group != ROWS}
        return groups | {"all": cosine(flat(dense(a)), flat(dense(b)))}

    def _implicit(self, subject: Subject, batch: Batch) -> list[dict[str, Any]]:
        """At the end of a full run, over the puzzles whose implicit gradient exists; empty where none's does."""
        here = linearised(subject, batch)
        found = solve(here.pull, here.pressure(), self.iterations, self.tolerance)
        settled = found.settled(self.tolerance)
        if not settled.any():
            return []
        if not settled.all():
            here = linearised(subject, some(batch, settled))
            found = solve(here.pull, here.pressure(), self.iterations, self.tolerance)
        return compared(
            "training", 0, "implicit", training_gradient(subject, here.slots), here.implicit(found.vectors), {}
        )

    def _descent(self, subject: Subject, carry: Carry, gradients: Gradients) -> float | None:
        """Relative change of the batch's loss after a short step against these gradients."""
        moved = stepped(subject.model, gradients, self.step)
        if moved is None:
            return None
        before, after = (float(learn(subject, model, carry)[1].total.detach()) for model in (subject.model, moved))
        return (after - before) / before if before else None

    def _findings(self, subject: Subject, table: list[dict[str, Any]]) -> list[Finding]:
        first = table[0]
        observed, ceiling = first["cosine"], first["ceiling"]
        if observed is None:
            return []
        wanted = 0.0 if ceiling is None else self.noise * max(ceiling, 0.0)
        enough = [
            r["k"] for r in table if r["gradient"] == "rows" and r["group"] == "all" and (r["cosine"] or 0) > wanted
        ]
        takes = "grad_window" in subject.settings.get("model", {}).get("schedule", {})
        patch = {"model.schedule.grad_window": min(enough)} if takes and enough else {}
        seen = f"the training gradient has a cosine of {observed:.2f} with that through all rows"
        advice = "give more rows of the schedule gradient"
        if observed <= 0:
            return [
                self.finding(
                    "no_descent", "fail", f"{seen}: it does not descend", advice,
                    observed=observed, threshold=0.0, evidence="D", patch=patch,
                )
            ]  # fmt: skip
        if observed < wanted:
            return [
                self.finding(
                    "biased", "warn", f"{seen}; two half batches agree to {ceiling:.2f}", advice,
                    observed=observed, threshold=wanted, patch=patch,
                )
            ]  # fmt: skip
        return []


def counts(schedule: Schedule, most: int) -> list[int]:
    """Numbers of last rows, from the fewest that reach every network to all, evenly over their logarithms."""
    rows = len(schedule.updates)
    least = next(k for k in range(1, rows + 1) if _reaches_all(schedule, k))
    if rows - least < most:
        return list(range(least, rows + 1))
    steps = torch.logspace(math.log10(least), math.log10(rows), most)
    return sorted({round(float(k)) for k in steps})


def _reaches_all(schedule: Schedule, rows: int) -> bool:
    try:
        schedule.with_grad_window(rows)
    except ConfigError:
        return False
    return True


def compared(
    name: str, k: int, against: str, one: Gradients, other: Gradients, ceiling: dict[str, float | None]
) -> list[dict[str, Any]]:
    """A row for `all` groups together, then one for each."""
    pairs = {"all": (flat(dense(one)), flat(dense(other)))} | {group: (one[group], other[group]) for group in one}
    rows: list[dict[str, Any]] = []
    for group, (a, b) in pairs.items():
        length = float(b.norm())
        rows.append(
            {"gradient": name, "k": k, "against": against, "group": group}
            | {"cosine": cosine(a, b), "ratio": float(a.norm()) / length if length else None}
            | {"error": float((a - b).norm()) / length if length else None, "signs": sign_agreement(a, b)}
            | {"ceiling": ceiling.get(group)}
        )
    return rows
