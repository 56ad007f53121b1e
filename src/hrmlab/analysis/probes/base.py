"""The probe protocol: a question, a measurement, and thresholds that say what they rest on."""

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from hrmlab.analysis.probes.subject import Subject
from hrmlab.errors import HrmLabError
from hrmlab.registry import Part, Registry
from hrmlab.results.probes import Evidence, Finding, Measurement, Severity

PROBES = Registry("probe")

Cost = Literal["byproduct", "forward", "backward", "jvp", "training"]
"""What a probe does most: reads what is there, runs the model, its backward pass, its Jacobian products, or trains."""


Preset = Literal["economy", "standard", "full"]
PRESETS: Mapping[Preset, int] = {"economy": 64, "standard": 200, "full": 500}
"""Sets of probes, each with those before it, and how many held-out puzzles they look at."""


class NotApplicable(Exception):
    """The model or the data have nothing for this probe to measure; the message says why."""


@dataclass(frozen=True)
class Threshold:
    """A number that a probe compares with. evidence: what it rests on (`results.probes.Evidence`)."""

    name: str
    value: float | str
    evidence: Evidence
    source: str


@dataclass
class Outcome:
    """What a probe's `measure` gives. n: puzzles, or whatever else the numbers stand on."""

    n: int
    scalars: Mapping[str, float | str | None] = field(default_factory=dict)
    table: list[dict[str, Any]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Probe(Part, ABC):
    """Base of all probes. The configuration's fields are its parameters: sizes and thresholds.

    code: its number in the catalogue (`docs/probes.md`). question: what it answers, in words a user would say.
    definition: the formula. caveats: what its numbers do not say. cost: see `Cost`.
    preset: the smallest set of probes that it belongs to (see `PRESETS`).
    """

    registry: ClassVar[Registry] = PROBES
    code: ClassVar[str]
    question: ClassVar[str]
    definition: ClassVar[str]
    caveats: ClassVar[tuple[str, ...]] = ()
    cost: ClassVar[Cost] = "forward"
    preset: ClassVar[Preset] = "standard"
    kind: str

    @abstractmethod
    def measure(self, subject: Subject) -> Outcome:
        """Look at a subject and change nothing about it.

        Raises:
            NotApplicable: it has nothing of the kind, and why.
        """

    @abstractmethod
    def thresholds(self) -> Sequence[Threshold]:
        """Every number that `measure` compares with; none for probes that only describe."""

    def run(self, subject: Subject) -> Measurement:
        """`measure`, timed, with its verdict: the worst of the findings; "n/a" where the model does not allow it."""
        start = time.perf_counter()
        why = ""
        try:
            outcome = self.measure(subject)
        except (NotApplicable, HrmLabError) as reason:
            outcome, why = Outcome(0), str(reason)
        entry = PROBES.get(self.kind)
        ranks = ("info", "warn", "fail")
        worst = max((finding.severity for finding in outcome.findings), key=ranks.index, default=None)
        return Measurement(
            probe=self.kind,
            code=self.code,
            question=self.question,
            definition=self.definition,
            source=entry.source,
            caveats=[*self.caveats, *outcome.caveats],
            verdict="n/a" if why else worst or "ok",
            why=why,
            scalars={name: _plain(value) for name, value in outcome.scalars.items()},
            table=[{name: _plain(value) for name, value in row.items()} for row in outcome.table],
            thresholds=[vars(threshold) for threshold in self.thresholds()],
            findings=outcome.findings,
            n=outcome.n,
            seconds=round(time.perf_counter() - start, 3),
        )

    def finding(
        self,
        name: str,
        severity: Severity,
        seen: str,
        advice: str,
        *,
        observed: float | str | None,
        threshold: float | str | None,
        evidence: Evidence = "H",
        patch: dict[str, Any] | None = None,
    ) -> Finding:
        """A finding of this probe under the rule `kind.name`."""
        return Finding(
            f"{self.kind}.{name}", severity, _plain(observed), _plain(threshold), evidence, seen, advice, patch or {}
        )


def _plain(value: Any) -> Any:
    """Python's own numbers, six digits, no NaN (None): what JSON can say."""
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None if math.isnan(value) else str(value)
    return value
