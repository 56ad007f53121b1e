"""The page's first part: what was found, what was checked, and what could not be."""

from collections import Counter
from html import escape
from typing import Any

from hrmlab.results.probes import Diagnosis, Finding, Measurement

EVIDENCE = {
    "V": "a primary source",
    "A": "an abstract or summary",
    "M": "a textbook",
    "D": "a derivation",
    "H": "a heuristic of ours",
}
SHOWN = 4
"""Numbers of a probe in the table."""


def verdicts(diagnosis: Diagnosis) -> str:
    """Findings, the worst first; then every probe with its verdict."""
    found = "\n".join(_finding(finding) for finding in diagnosis.findings)
    checked = [m for m in diagnosis.measurements if m.verdict != "n/a"]
    counts = Counter(finding.severity for finding in diagnosis.findings)
    words = [f"{counts[name]} {name}" for name in ("fail", "warn", "info") if counts[name]]
    summary = ", ".join(words) or "Nothing is wrong that these probes would see"
    rows = "\n".join(_row(measurement) for measurement in checked)
    return (
        f'<p class="summary">{summary}: {len(checked)} probes looked'
        f"{f', {len(diagnosis.not_checked)} had nothing to look at' if diagnosis.not_checked else ''}.</p>\n{found}\n"
        '<div class="scroll" tabindex="0"><table class="checks"><caption>What was checked</caption><thead><tr>'
        f"<th>probe</th><th>verdict</th><th>question</th><th>numbers</th></tr></thead><tbody>\n{rows}\n</tbody></table></div>\n"
        f"{_missing(diagnosis)}"
    )


def _finding(finding: Finding) -> str:
    probe = finding.rule.partition(".")[0]
    patch = "\n".join(f"{key}={value}" for key, value in finding.patch.items())
    change = f"<p>A change of configuration that should mend it:</p><pre>{escape(patch)}</pre>" if patch else ""
    return (
        f'<article class="finding {finding.severity}"><h3><span class="verdict {finding.severity}">{finding.severity}'
        f'</span> <a href="#probe-{escape(probe)}">{escape(finding.rule)}</a></h3><p>{escape(finding.seen)}</p>'
        f'<dl class="facts"><div><dt>measured</dt><dd>{number(finding.observed)}</dd></div>'
        f"<div><dt>threshold</dt><dd>{number(finding.threshold)}</dd></div>"
        f"<div><dt>rests on</dt><dd>{EVIDENCE[finding.evidence]} ({finding.evidence})</dd></div></dl>"
        f'<p class="advice">{escape(finding.advice)}</p>{change}</article>'
    )


def _row(measurement: Measurement) -> str:
    numbers = ", ".join(
        f"{escape(name)}&nbsp;{number(value)}" for name, value in list(measurement.scalars.items())[:SHOWN]
    )
    return (
        f'<tr><td><a href="#probe-{escape(measurement.probe)}">{measurement.code}&nbsp;{escape(measurement.probe)}</a>'
        f"</td><td>{verdict(measurement.verdict)}</td><td>{escape(measurement.question)}</td><td>{numbers}</td></tr>"
    )


def _missing(diagnosis: Diagnosis) -> str:
    if not diagnosis.not_checked:
        return ""
    items = "".join(
        f"<li><b>{escape(probe['probe'])}</b>: {escape(probe['why'])}</li>" for probe in diagnosis.not_checked
    )
    return f'<h3>What was not checked, and why</h3><ul class="missing">{items}</ul>'


def verdict(name: str) -> str:
    """A verdict as a coloured word."""
    return f'<span class="verdict {"na" if name == "n/a" else name}">{name}</span>'


def number(value: Any) -> str:
    """A number with four digits, a word as it is, nothing as a dash."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    return escape(str(value))
