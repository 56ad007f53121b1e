"""D-05: how much of a batch's gradient is signal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.gradients import dense, training_gradient
from hrmlab.analysis.probes.maths.slots import pick, training_batch, training_slots
from hrmlab.analysis.probes.subject import Subject
from hrmlab.results.probes import Finding


@PROBES.register(source="McCandlish et al. 2018, arXiv 1812.06162; Liu et al. 2020, arXiv 2001.07384")
@dataclass(frozen=True, kw_only=True)
class NoiseScale(Probe):
    """Signal and noise of the gradients of single puzzles: the batch size from which more slots help little.

    puzzles: how many, each at a segment that it has in training.
    learnt: share of puzzles solved from which on the gradient is mostly noise, as it should be.
    factor: batches smaller than the noise scale by this are too small.
    """

    code = "D-05"
    question = "Is the batch large enough for its gradient to mean something?"
    definition = (
        "Noise scale tr(S) / |G|^2, G the mean and S the covariance of single puzzles' gradients, both unbiased from "
        "batches of 1 and n; GSNR: mean^2 / variance of each parameter, averaged over a group."
    )
    caveats = ("Near the end of training G goes to zero and the noise scale without limit.",)
    cost = "backward"
    preset = "standard"
    kind: Literal["noise_scale"] = "noise_scale"
    puzzles: int = 64
    learnt: float = 0.5
    factor: float = 10.0

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("noise scale over batch size", self.factor, "H", "hrm-lab"),
            Threshold("puzzles solved", self.learnt, "H", "hrm-lab"),
        )

    def measure(self, subject: Subject) -> Outcome:
        batch = training_batch(subject, self.puzzles)
        if len(batch) < 2:
            raise NotApplicable("noise needs two puzzles or more; there is one")
        carry = training_slots(subject, batch)
        found: dict[str, Moments] = {}
        for number in range(len(batch)):
            one = dense(training_gradient(subject, pick(carry, torch.tensor([number]))))
            for group, gradient in one.items():
                found.setdefault(group, Moments(torch.zeros_like(gradient), torch.zeros_like(gradient))).add(gradient)
        parts = {group: moments.split() for group, moments in found.items()}
        signal, noise = (sum(part[which] for part in parts.values()) for which in (0, 1))
        table: list[dict[str, Any]] = [
            {"group": group, "signal": parts[group][0], "noise": parts[group][1]}
            | {"noise_scale": _ratio(*parts[group]), "gsnr": moments.gsnr()}
            for group, moments in found.items()
        ]
        slots = subject.settings.get("training", {}).get("batch_size")
        scale = _ratio(signal, noise)
        solved = float(subject.course.right[:, -1].float().mean())
        scalars = {"noise_scale": scale, "signal": signal, "noise": noise, "batch_size": slots, "solved": solved}
        return Outcome(len(batch), scalars, table, self._findings(scale, slots, solved))

    def _findings(self, scale: float | None, slots: int | None, solved: float) -> list[Finding]:
        if scale is None or slots is None or solved >= self.learnt or scale <= self.factor * slots:
            return []
        wanted = 2 ** round(torch.tensor(min(scale, 2**20)).log2().item())
        return [
            self.finding(
                "under_batched",
                "warn",
                f"the gradient's noise scale is {scale:,.0f} puzzles and the batch holds {slots}, so that a step is "
                f"mostly noise while only {solved:.0%} of the puzzles are solved",
                "take a larger batch, or a lower learning rate",
                observed=scale,
                threshold=self.factor * slots,
                patch={"training.batch_size": wanted},
            )
        ]


@dataclass
class Moments:
    """Sums of single gradients and of their squares. count: how many."""

    total: Tensor
    squares: Tensor
    count: int = 0

    def add(self, gradient: Tensor) -> None:
        self.total += gradient
        self.squares += gradient.square()
        self.count += 1

    def split(self) -> tuple[float, float]:
        """|G|^2 and tr(S), each unbiased, so that the first may come out below zero."""
        mean, single = float((self.total / self.count).square().sum()), float(self.squares.sum()) / self.count
        noise = (single - mean) * self.count / (self.count - 1)
        return mean - noise / self.count, noise

    def gsnr(self) -> float | None:
        """Mean over the parameters that vary."""
        mean = self.total / self.count
        variance = (self.squares / self.count - mean.square()) * self.count / (self.count - 1)
        varies = variance > 1e-6 * mean.square()
        return float((mean.square() / variance)[varies].mean()) if varies.any() else None


def _ratio(signal: float, noise: float) -> float | None:
    """None where the signal cannot be told from zero."""
    return noise / signal if signal > 0 else None
