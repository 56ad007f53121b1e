"""E-01: numbers that are not finite, or too large for half precision, and where they come from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.gradients import learn
from hrmlab.analysis.probes.maths.slots import fresh_slots
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address, hooks, unroll
from hrmlab.core.carry import Batch
from hrmlab.results.probes import Finding


@PROBES.register(source="hrm-lab; IEEE 754 for the limit of half precision")
@dataclass(frozen=True, kw_only=True)
class Numerics(Probe):
    """Largest magnitudes and non-finite numbers of parameters, activations and gradients, and the first of them.

    puzzles: how many to run. limit: magnitude above which a number is said to explode.
    """

    code = "E-01"
    question = "Is every number finite and of a sound size, and if not, where does it begin?"
    definition = "Largest magnitude, and share of NaN and infinities, at each site over a whole run, in order."
    caveats = ("Measured in float32; half precision overflows at the limit, bfloat16 does not.",)
    cost = "backward"
    preset = "economy"
    kind: Literal["numerics"] = "numerics"
    puzzles: int = 8
    limit: float = 65504.0

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("numbers that are not finite", 0, "D", "none is sound"),
            Threshold("magnitude", self.limit, "M", "the largest float16"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch = subject.some(self.puzzles)
        seen = [_parameters(subject), _activations(subject, batch), _gradients(subject, batch)]
        table = [row for ledger in seen for row in ledger.rows.values()]
        scalars = {ledger.what: max((row["largest"] for row in ledger.rows.values()), default=None) for ledger in seen}
        return Outcome(len(batch), scalars, table, self._findings(subject, seen))

    def _findings(self, subject: Subject, seen: list["_Ledger"]) -> list[Finding]:
        for ledger in seen:
            bad = next((row for row in ledger.rows.values() if row["bad"]), None)
            if bad is not None:
                place = min((r for r in ledger.rows.values() if r["bad"]), key=lambda r: r["bad_order"])
                return [self._nonfinite(subject, ledger.what, place)]
        step = _first_bad_step(subject)
        if step is not None:
            return [self._nonfinite(subject, "training", {"bad_at": f"step {step}", "bad": None})]
        return [finding for ledger in seen for finding in self._exploding(ledger)]

    def _nonfinite(self, subject: Subject, what: str, place: dict[str, Any]) -> Finding:
        training = subject.settings.get("training", {})
        return self.finding(
            "nonfinite",
            "fail",
            f"{what}: the first numbers that are not finite are at {place['bad_at']}",
            "clip the gradient and lower the learning rate; train in float32 to see whether precision is the cause",
            observed=place["bad"],
            threshold=0,
            evidence="D",
            patch={"training.clip": 1.0} if training and training.get("clip") is None else {},
        )

    def _exploding(self, ledger: "_Ledger") -> list[Finding]:
        worst = max(ledger.rows.values(), key=lambda row: row["largest"], default=None)
        if worst is None or worst["largest"] <= self.limit:
            return []
        return [
            self.finding(
                "exploding",
                "warn",
                f"{ledger.what}: magnitudes reach {worst['largest']:.3g} at {worst['at']}",
                "put a norm behind each block (post_norm), or train with weight decay",
                observed=worst["largest"],
                threshold=self.limit,
                evidence="M",
            )
        ]


@dataclass
class _Ledger:
    """By site: the largest finite magnitude and its address, the largest share that is not finite, and where first."""

    what: str
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    lost: int = 0

    def enter(self, tensor: Tensor, site: str, at: str) -> None:
        values = tensor.detach().float()
        finite = values.isfinite()
        largest = float(torch.where(finite, values, 0.0).abs().amax()) if values.numel() else 0.0
        bad = 1 - float(finite.float().mean()) if values.numel() else 0.0
        row = self.rows.setdefault(
            site,
            {"what": self.what, "site": site, "largest": -1.0, "at": at, "bad": 0.0, "bad_at": "", "bad_order": -1},
        )
        if largest > row["largest"]:
            row |= {"largest": largest, "at": at}
        if bad and not row["bad"]:
            row |= {"bad_at": at, "bad_order": self.lost}
            self.lost += 1
        row["bad"] = max(row["bad"], bad)


def _parameters(subject: Subject) -> _Ledger:
    ledger = _Ledger("parameters")
    for name, tensor in subject.model.state_dict().items():
        if tensor.is_floating_point():
            ledger.enter(tensor, name, name)
    return ledger


@torch.no_grad()
def _activations(subject: Subject, batch: Batch) -> _Ledger:
    """Of a run of all segments, up to the one in which something is not finite."""
    ledger = _Ledger("activations")

    def see(tensor: Tensor, /, *, at: Address) -> None:
        ledger.enter(tensor, at.site, str(at))

    with hooks(subject.model, forward=[("*", see)], segments=subject.segments):
        for _ in unroll(subject.model, batch, subject.segments):
            if ledger.lost:
                break
    return ledger


def _gradients(subject: Subject, batch: Batch) -> _Ledger:
    """Of one training segment, in the order of the backward pass."""
    ledger, model = _Ledger("gradients"), subject.model

    def see(gradient: Tensor, /, *, at: Address) -> None:
        ledger.enter(gradient, at.site, str(at))

    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    with torch.enable_grad(), hooks(model, backward=[("*", see)]):
        _, goal = learn(subject, model, fresh_slots(subject, batch))
        found = torch.autograd.grad(goal.total / len(batch), [p for _, p in named], allow_unused=True)
    for (name, _), gradient in zip(named, found, strict=True):
        if gradient is not None:
            ledger.enter(gradient, name, name)
    return ledger


def _first_bad_step(subject: Subject) -> int | None:
    """Of the recorded training, the first step that reports a number that is not finite."""
    for line in subject.metrics:
        if any(isinstance(value, float) and not math.isfinite(value) for value in line.values()):
            return int(line.get("step", 0))
    return None
