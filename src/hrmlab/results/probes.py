"""What looking inside a model gives: a probe's measurements, and the findings that its thresholds lead to."""

from dataclasses import dataclass, field
from typing import Any, Literal

from hrmlab.results.base import Result

Evidence = Literal["V", "A", "M", "D", "H"]
"""What a threshold rests on: V verified in a primary source, A an abstract or summary, M a textbook, D derived, H a
heuristic without literature behind it."""

Severity = Literal["info", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """Something that a probe says is wrong, or worth knowing.

    rule: `gradient_path.leak`: the probe and what it found.
    observed, threshold: the number that was measured and the one that it crossed (or in words, what was expected).
    evidence: what the threshold rests on.
    seen: one sentence on what was measured, where (address, level, parameter), with its numbers.
    advice: what to do about it.
    patch: changes of the configuration that would mend it, `dotted.key: value`; empty where none would.
    """

    rule: str
    severity: Severity
    observed: float | str | None
    threshold: float | str | None
    evidence: Evidence
    seen: str
    advice: str
    patch: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """One probe's answer.

    probe: its name; code: its number in the catalogue of diagnostics, "D-09".
    verdict: the worst of its findings, "ok" without any, "n/a" where the model or data have nothing to measure (`why`).
    scalars: the numbers that sum it up. table: rows of equal keys, for figures and files.
    thresholds: name, value and evidence of every threshold that was used.
    n: puzzles (or what else was counted) that the numbers stand on. seconds: what it took.
    """

    probe: str
    code: str
    question: str
    definition: str
    source: str
    caveats: list[str]
    verdict: Literal["ok", "info", "warn", "fail", "n/a"]
    why: str
    scalars: dict[str, float | str | None]
    table: list[dict[str, Any]]
    thresholds: list[dict[str, Any]]
    findings: list[Finding]
    n: int
    seconds: float


@dataclass(frozen=True)
class Diagnosis(Result):
    """What a set of probes says about a model.

    findings: the worst first. checked, not_checked: probes by name; the latter with the reason.
    about: weights, task, puzzles, segments, device, versions, seed: what the numbers belong to.
    """

    target: str
    preset: str
    findings: list[Finding]
    checked: list[str]
    not_checked: list[dict[str, str]]
    measurements: list[Measurement]
    about: dict[str, Any]
    seconds: float
    files: list[str]
