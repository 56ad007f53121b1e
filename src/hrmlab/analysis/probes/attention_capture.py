"""D-29: whether the attention patterns that the other probes read are those that the model uses."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.attending import Place, attention_places, watch
from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing import Address
from hrmlab.analysis.tracing.hooks import Hook
from hrmlab.results.probes import Finding


@PROBES.register(source="hrm-lab; computed again as softmax(q k^T / sqrt(D)), Vaswani et al. 2017, arXiv 1706.03762")
@dataclass(frozen=True, kw_only=True)
class AttentionCapture(Probe):
    """Attention patterns computed again, against what the heads gave.

    puzzles, segments: how many to run.
    sums: how far the weights of a query may add up to something else than one.
    parity: how far what the heads give may be, in relative length, from pattern times values.
    """

    code = "D-29"
    question = "Are the attention patterns shown those that the model really uses?"
    definition = "|sum_j A_ij - 1|, and |A v - heads| / |heads|: the largest over queries, puzzles and calls, by head."
    caveats = ("Fused kernels keep no pattern: it is computed again beside the run, in float32.",)
    preset = "economy"
    kind: Literal["attention_capture"] = "attention_capture"
    puzzles: int = 8
    segments: int = 2
    sums: float = 1e-5
    parity: float = 1e-4

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("sums", self.sums, "D", "hrm-lab: float32 rounding over some hundred keys"),
            Threshold("parity", self.parity, "V", "TransformerLens's parity in float32"),
        )

    def measure(self, subject: Subject) -> Outcome:
        model, batch = subject.model, subject.some(self.puzzles)
        places = attention_places(model)
        sums = {place.name: torch.zeros(place.heads) for place in places}
        parity = {place.name: torch.zeros(place.heads) for place in places}
        forward = [hook for place in places for hook in _comparing(place, sums, parity)]
        watch(model, batch, min(self.segments, subject.segments), places, forward)
        table: list[dict[str, Any]] = [
            {
                "level": place.level,
                "place": place.name,
                "head": head,
                "sum_error": float(sums[place.name][head]),
                "parity_error": float(parity[place.name][head]),
            }
            for place in places
            for head in range(place.heads)
        ]
        worst = {name: max(row[name] for row in table) for name in ("sum_error", "parity_error")}
        return Outcome(len(batch), worst, table, [*self._off(table, "sum_error"), *self._off(table, "parity_error")])

    def _off(self, table: list[dict[str, Any]], what: str) -> Iterator[Finding]:
        limit, rule, seen = {
            "sum_error": (self.sums, "sums", "the weights of a query do not add up to one"),
            "parity_error": (self.parity, "parity", "what the heads give is not the pattern times the values"),
        }[what]
        bad = [row for row in table if not row[what] <= limit]
        if not bad:
            return
        worst = max(bad, key=lambda row: float(row[what]))
        yield self.finding(
            rule,
            "fail",
            f"{seen}: off by {worst[what]:.2g} at {worst['place']}, head {worst['head']}, and in {len(bad)} of "
            f"{len(table)} heads",
            "this module has `qkv`, `heads` and `out` but mixes in another way: believe no pattern of it",
            observed=worst[what],
            threshold=limit,
            evidence="V" if rule == "parity" else "D",
        )


def _comparing(place: Place, sums: dict[str, Tensor], parity: dict[str, Tensor]) -> list[tuple[str, Hook]]:
    """Hooks that keep what a call reads, and compare when its heads have given."""
    passed: dict[str, Tensor] = {}

    def keep(tensor: Tensor, /, *, at: Address) -> None:
        passed[at.site.rpartition(".")[2]] = tensor

    def compare(tensor: Tensor, /, *, at: Address) -> None:
        pattern = passed["pattern"]
        expected = (pattern @ passed["v"].float()).transpose(1, 2)
        given = tensor.float().reshape(expected.shape)
        if hasattr(place.module, "gate"):
            expected = expected * place.module.gate(passed["in"]).float().sigmoid().view_as(expected)
        off = (given - expected).norm(dim=-1) / given.norm(dim=-1).clamp_min(1e-6)
        _raise(sums, place.name, (pattern.sum(-1) - 1).abs().amax((0, 2)))
        _raise(parity, place.name, off.amax((0, 1)))

    return [*((place.site(what), keep) for what in ("in", "v", "pattern")), (place.site("heads"), compare)]


def _raise(worst: dict[str, Tensor], name: str, found: Tensor) -> None:
    worst[name] = torch.maximum(worst[name], found.cpu().nan_to_num(nan=torch.inf))
