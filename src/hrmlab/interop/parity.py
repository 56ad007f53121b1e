"""Whether this machine computes what the reference computed: golden vectors against stated tolerances."""

from collections import defaultdict
from dataclasses import dataclass, field
from math import inf, isfinite, isnan
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from hrmlab.core.engines import Compiled
from hrmlab.errors import DataError
from hrmlab.interop.golden import Golden
from hrmlab.interop.replay import replay

COMPILED = 30.0
"""How much wider the tolerances are for compiled models, whose sums run in another order."""
ROUNDING, CHAOS = 2.0**-24, 10.0
"""Half a unit in the last place of float32; and how many times the distance of two of our own runs, whose first weights
differ by that, the recording may be from ours. Some runs are chaotic: five steps of training make a hundredth of it."""


@dataclass(frozen=True)
class Tolerance:
    """Passes if |ours - theirs| <= atol + rtol |theirs|."""

    atol: float
    rtol: float = 0.0

    def share(self, ours: Tensor, theirs: Tensor) -> float:
        """The largest error as a share of what is allowed; over 1 fails."""
        allowed = self.atol + self.rtol * theirs.abs()
        error = (ours - theirs).abs()
        return float(torch.where(error == 0, 0.0, error / allowed).max()) if len(error) else 0.0


FIRST, LATER = Tolerance(1e-4), Tolerance(1e-3, 1e-3)
FLOAT32 = {
    "outputs": LATER,
    "states": LATER,
    "halting": Tolerance(0.0),
    "loss": Tolerance(1e-6, 1e-5),
    "metrics": LATER,
    "grads": Tolerance(2e-5, 1e-3),
    "weights": Tolerance(2e-4),
    "eval": LATER,
}
"""What two exact implementations differ by, rounded up. Outputs, states and metrics of the first call: `FIRST`."""
_DRIFTING = ("outputs", "states", "metrics")


@dataclass
class Findings:
    """The worst of each group.

    error: largest absolute difference.
    share: largest part of the tolerance that was used up; over 1 fails.
    """

    error: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    share: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def ok(self) -> bool:
        return bool(self.share) and all(share <= 1 for share in self.share.values())

    def note(self, group: str, error: float, share: float) -> None:
        """Not a number counts as infinitely wrong."""
        self.error[group] = max(self.error[group], inf if isnan(error) else error)
        self.share[group] = max(self.share[group], inf if isnan(share) else share)


class Judge(Protocol):
    """Notes a comparison of the golden replay."""

    def __call__(self, group: str, ours: Tensor, theirs: Tensor, first: bool) -> None: ...


def check(path: Path, *, dtype: torch.dtype = torch.float32, engine: str = "eager") -> Findings:
    """Replay one file and compare.

    In float32 every number must agree within `FLOAT32`, `COMPILED` times that for compiled models, and within what
    rounding makes of later calls (`CHAOS`). In a narrower dtype runs drift apart after the first call, so that the
    check is of statistics: see `_Statistics`.

    Raises:
        DataError: no golden vectors there, or they contradict themselves.
    """
    findings = Findings()
    golden = Golden.read(path)
    exact = dtype in (torch.float32, torch.float64)
    judge: Judge = _Statistics(findings)
    if exact and engine == Compiled.name:
        judge = _Exact(findings, COMPILED)
    elif exact:
        judge = _Exact(findings, 1.0, _another(golden, dtype, engine))
    replay(golden, judge, dtype=dtype, engine=engine)
    if lacking := [group for group in (FLOAT32 if exact else NARROW) if group not in findings.share]:
        raise DataError(f"{path} records no {', '.join(lacking)}; there is nothing to compare with")
    return findings


def _another(golden: Golden, dtype: torch.dtype, engine: str) -> list[Tensor]:
    """Every number of a run of ours whose weights began a rounding apart, in the order in which they are compared."""
    found: list[Tensor] = []
    replay(
        golden, lambda group, ours, theirs, first: found.append(_flat(ours)), dtype=dtype, engine=engine, nudge=ROUNDING
    )
    return found


@dataclass
class _Exact:
    """another: the numbers of another run of ours, from which drift is told."""

    findings: Findings
    scale: float
    another: list[Tensor] = field(default_factory=list)
    place: int = 0

    def __call__(self, group: str, ours: Tensor, theirs: Tensor, first: bool) -> None:
        ours, theirs = _flat(ours), _flat(theirs)
        tolerance, drift = FLOAT32[group], self._drift(ours)
        if first and group in _DRIFTING:
            tolerance, drift = FIRST, 0.0
        scaled = Tolerance(tolerance.atol * self.scale + CHAOS * drift, tolerance.rtol * self.scale)
        if ours.shape != theirs.shape:
            self.findings.note(group, inf, inf)
        elif len(ours):
            self.findings.note(group, float((ours - theirs).abs().max()), scaled.share(ours, theirs))

    def _drift(self, ours: Tensor) -> float:
        """How far the other run is, at the number that is due."""
        other = self.another[self.place] if self.place < len(self.another) else ours
        self.place += 1
        return float((ours - other).abs().max()) if other.shape == ours.shape and len(ours) else 0.0


BFLOAT16_ERROR, BFLOAT16_LOSS, BFLOAT16_COSINE = 0.1, 0.05, 0.98
"""Of the first call: relative error of outputs and states (root mean square), of losses, and the least cosine of a
gradient with the recorded one."""
NARROW = ("outputs", "states", "loss", "grads", "weights")
"""What is compared in a narrow dtype."""


@dataclass
class _Statistics:
    """Relative root mean square errors; only of what no earlier call could have pushed apart.

    Outputs, states, loss and gradients of the first call. Trained weights: their relative distance from the recorded
    ones is noted, not judged.
    """

    findings: Findings

    def __call__(self, group: str, ours: Tensor, theirs: Tensor, first: bool) -> None:
        ours, theirs = _flat(ours), _flat(theirs)
        if ours.shape != theirs.shape:
            self.findings.note(group, inf, inf)
            return
        size = theirs.norm().clamp_min(1e-12)
        error = float((ours - theirs).norm() / size)
        if group == "grads":
            cosine = float(ours @ theirs / (ours.norm() * size).clamp_min(1e-12))
            self.findings.note(group, error, (1 - cosine) / (1 - BFLOAT16_COSINE) if theirs.norm() > 1e-6 else 0.0)
        elif first and group in ("outputs", "states", "loss"):
            self.findings.note(group, error, error / (BFLOAT16_LOSS if group == "loss" else BFLOAT16_ERROR))
        elif group == "weights":
            self.findings.note(group, error, 0.0 if isfinite(error) else inf)


def _flat(tensor: Tensor) -> Tensor:
    return tensor.detach().double().flatten()
