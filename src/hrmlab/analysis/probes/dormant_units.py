"""D-23: hidden units that never say anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import sites, trace

HIDDEN = "*.hidden"


@PROBES.register(source="Sokar et al. 2023, arXiv 2302.12902, definition 3.1")
@dataclass(frozen=True, kw_only=True)
class DormantUnits(Probe):
    """Units of the feed-forward layers that are quiet in some or in all calls of their layer.

    puzzles: how many to run. tau: a unit at most that loud, relative to its layer's mean, is dormant.
    share: of units dormant in every call, from which a layer is said to waste its width.
    """

    code = "D-23"
    question = "Are there hidden units that do nothing, in any step?"
    definition = "Score of a unit: mean |h_u| over puzzles and positions, over its mean over units; dormant: <= tau."
    caveats = ("A network that several levels or rows call is measured call by call: quiet in all is what counts.",)
    preset = "economy"
    kind: Literal["dormant_units"] = "dormant_units"
    puzzles: int = 16
    tau: float = 0.025
    share: float = 0.25

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("tau", self.tau, "M", "Sokar et al. 2023"),
            Threshold("share", self.share, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        if not any(site.name.endswith(".hidden") for site in sites(model)):
            raise NotApplicable("no block has a hidden layer that is known as one (a submodule `down`)")
        kept = trace(model, batch, HIDDEN, subject.segments, reduce=loudness)
        calls: dict[str, dict[int, list[Tensor]]] = {}
        for at, loud in kept.items():
            quiet = scores(loud) <= self.tau
            calls.setdefault(at.site, {}).setdefault(at.segment, []).append(quiet)
        table: list[dict[str, Any]] = []
        always: dict[str, float] = {}
        for site, segments in calls.items():
            whole = torch.stack([quiet for row in segments.values() for quiet in row])
            always[site] = float(whole.all(0).float().mean())
            table += [
                {"site": site, "segment": segment, "units": whole.shape[1]}
                | {"dormant": float(torch.stack(row).float().mean()), "always": always[site]}
                | {"sometimes": float(whole.any(0).float().mean())}
                for segment, row in segments.items()
            ]
        findings = [
            self.finding(
                "wasted",
                "warn",
                f"{share:.0%} of the hidden units of {site} are dormant in every call",
                "lower the learning rate, or make `model.size.expansion` smaller: these units cost time and do nothing",
                observed=share,
                threshold=self.share,
            )
            for site, share in always.items()
            if share > self.share
        ]
        return Outcome(len(batch), {f"{site}_always": share for site, share in always.items()}, table, findings)


def loudness(hidden: Tensor) -> Tensor:
    """Mean magnitude of each unit: (B, ..., H) -> (B, H)."""
    return hidden.float().abs().flatten(1, -2).mean(1)


def scores(loud: Tensor) -> Tensor:
    """(B, H) -> (H,), over their own mean; zeros for a layer that is silent altogether."""
    mean = loud.mean(0)
    return mean / mean.mean().clamp_min(1e-12)
