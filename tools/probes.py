"""Writes docs/probes.md from the probes themselves; a test keeps the two the same.

python tools/probes.py
"""

from pathlib import Path

from hrmlab.analysis.probes import PROBES, Probe

PAGE = Path(__file__).parent.parent / "docs" / "probes.md"
HEAD = """# Probes

What `hrm diagnose` measures, from the probes themselves (`python tools/probes.py` writes this page). A probe asks one
question, gives a table and a few numbers, and compares them with thresholds. Each threshold says what it rests on:
**V** verified in a primary source, **A** an abstract or summary, **M** a textbook, **D** derived, **H** a heuristic of
ours without literature behind it. Thresholds and sizes are fields; `hrm diagnose RUN --only NAME` runs one probe, in
Python `Probe(field=...).run(subject)`.

Sets: *economy* is cheap enough to run while training (`hrm train --watch economy`), *standard* adds what takes a minute
or two, *full* everything.
"""


def page() -> str:
    """The whole page."""
    probes = sorted((entry.config() for entry in PROBES), key=lambda probe: (probe.code, probe.kind))
    rows = [f"| {p.code} | [`{p.kind}`](#{p.kind}) | {p.question} | {p.preset} | {p.cost} |" for p in probes]
    table = ["| | probe | question | set | cost |", "|---|---|---|---|---|", *rows, ""]
    return "\n".join([HEAD, *table, *(section(probe) for probe in probes)])


def section(probe: Probe) -> str:
    """One probe's part of the page."""
    summary = (type(probe).__doc__ or "").strip().splitlines()[0]
    lines = [f"## {probe.kind}", "", f"{probe.code}. {summary}", "", f"*{probe.definition}*", ""]
    lines += [f"Source: {PROBES.get(probe.kind).source}.", ""]
    for threshold in probe.thresholds():
        lines.append(f"- threshold {threshold.name}: {threshold.value} ({threshold.evidence}; {threshold.source})")
    lines += [f"- caveat: {caveat}" for caveat in probe.caveats]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
