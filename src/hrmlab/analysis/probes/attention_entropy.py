"""D-30: how widely each head looks."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.attending import (
    Place,
    attention_places,
    entropy,
    least_entropy,
    longest_scores,
    watch,
)
from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.summary import by_outcome, median, quartiles
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address
from hrmlab.analysis.tracing.hooks import Hook
from hrmlab.results.probes import Finding

Calls = dict[Address, list[Tensor]]
"""By call what was measured of each puzzle and head, in parts of the batch: (b, H, 3), entropy, bound, top key."""


@PROBES.register(source="Zhai et al. 2023, arXiv 2303.06296; bound of its theorem 3.1")
@dataclass(frozen=True, kw_only=True)
class AttentionEntropy(Probe):
    """Entropy of the attention patterns, by head and call.

    puzzles, segments: how many to run.
    floor: a head whose entropy lies below this share of ln N looks at next to one key.
    heads: the share of such heads from which attention counts as collapsed.
    """

    code = "D-30"
    question = "Do heads look at many places, or has attention collapsed onto one?"
    definition = (
        "-sum_j A_ij ln A_ij / ln N, mean over queries; bound: the least that the weights' spectral norms allow; "
        "top_key: the mean weight that all queries give to the key they look at most."
    )
    caveats = (
        "A head may rightly look at one key a query; top_key near one says that it is the same key for all.",
        "No threshold is published; a drop in the course of training says more than a level.",
    )
    preset = "standard"
    kind: Literal["attention_entropy"] = "attention_entropy"
    puzzles: int = 16
    segments: int = 4
    floor: float = 0.05
    heads: float = 0.25

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("floor", self.floor, "H", "hrm-lab: share of ln N"),
            Threshold("heads", self.heads, "H", "hrm-lab: share of heads"),
        )

    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        places, found = attention_places(model), Calls()
        forward = [hook for place in places for hook in _measuring(place, found)]
        watch(model, batch, min(self.segments, subject.segments), places, forward)
        calls = {at: torch.cat(parts) for at, parts in found.items()}
        right = subject.course.right[: len(batch), -1].cpu()
        table = [
            {
                "segment": at.segment,
                "row": at.row,
                "level": at.level,
                "place": at.site.removesuffix(".pattern"),
                "head": head,
                **quartiles("entropy", of[:, head, 0]),
                **by_outcome(of[:, head, 0], right),
                "bound": median(of[:, head, 1]),
                "top_key": median(of[:, head, 2]),
            }
            for at, of in calls.items()
            for head in range(of.shape[1])
        ]
        heads = self._by_head(calls)
        low = [name for name, (middle, _) in heads.items() if middle < self.floor]
        scalars = {
            "entropy": median(torch.tensor([middle for middle, _ in heads.values()])),
            "lowest": min(middle for middle, _ in heads.values()),
            "low_heads": len(low) / len(heads),
        }
        return Outcome(len(batch), scalars, table, self._collapsed(subject, heads, low))

    @staticmethod
    def _by_head(calls: dict[Address, Tensor]) -> dict[str, tuple[float, float]]:
        """Median entropy and top key over puzzles and calls."""
        parts: dict[str, list[Tensor]] = {}
        for at, of in calls.items():
            for head in range(of.shape[1]):
                parts.setdefault(f"{at.site.removesuffix('.pattern')} head {head}", []).append(of[:, head])
        middles = {name: torch.cat(of).quantile(0.5, dim=0) for name, of in parts.items()}
        return {name: (float(middle[0]), float(middle[2])) for name, middle in middles.items()}

    def _collapsed(self, subject: Subject, heads: dict[str, tuple[float, float]], low: list[str]) -> list[Finding]:
        share = len(low) / len(heads)
        if share <= self.heads:
            return []
        worst = min(low, key=lambda name: heads[name][0])
        lr: Any = subject.settings.get("training", {}).get("optimiser", {}).get("lr")
        return [
            self.finding(
                "collapsed",
                "warn",
                f"{len(low)} of {len(heads)} heads look at next to one key: {worst} has {heads[worst][0]:.2g} of the "
                f"largest entropy, and all its queries together give {heads[worst][1]:.0%} of their weight to one key",
                "train with a smaller learning rate or a longer warm-up, or normalise queries and keys",
                observed=share,
                threshold=self.heads,
                patch={} if lr is None else {"training.optimiser.lr": lr / 2},
            )
        ]


def _measuring(place: Place, found: Calls) -> list[tuple[str, Hook]]:
    came: dict[str, Tensor] = {}

    def keep(tensor: Tensor, /, *, at: Address) -> None:
        came["in"] = tensor

    def see(pattern: Tensor, /, *, at: Address) -> None:
        keys = pattern.shape[-1]
        most = math.log(keys) if keys > 1 else 1.0
        spread = entropy(pattern).mean(-1) / most
        length = longest_scores(place.module, came["in"])
        bound = torch.full_like(spread, torch.nan) if length is None else least_entropy(length, keys) / most
        top = pattern.mean(2).amax(-1)
        found.setdefault(at, []).append(torch.stack((spread, bound, top), -1).cpu())

    return [(place.site("in"), keep), (place.site("pattern"), see)]
