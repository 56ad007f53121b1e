"""The unrolled schedule: a cell for each update of a segment, coloured by the gradient that reaches it."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from hrmlab.results.probes import Measurement

SOURCE = "gradient_path"
"""The probe that says which updates the gradient reaches."""
DECADES = 3.0
"""Powers of ten between the palest cell and the darkest."""


def strip(measurements: Sequence[Measurement]) -> str:
    """One lane a level, the slowest first; an update stands in its column. Empty without the probe's table."""
    table = next((m.table for m in measurements if m.probe == SOURCE), [])
    if not table:
        return ""
    levels = list(dict.fromkeys(row["level"] for row in sorted(table, key=lambda row: row["address"].count("/"))))
    strongest = max(row["gradient"] for row in table)
    lanes = "".join(_lane(level, table, strongest) for level in levels)
    reached = sum(row["gradient"] > 0 for row in table)
    return (
        f"<p>One segment: {len(table)} updates from left to right, {reached} of them reached by the gradient.</p>"
        f'<div class="scroll" tabindex="0"><table class="strip">{lanes}</table></div>'
        '<p class="fine">The darker, the longer the loss\'s gradient by the new state of that update, in powers of '
        "ten; grey: no gradient. A cell with a cross is not as the schedule says.</p>"
    )


def _lane(level: str, table: Sequence[dict[str, Any]], strongest: float) -> str:
    cells = "".join(_cell(row, strongest) if row["level"] == level else "<td></td>" for row in table)
    return f'<tr><th scope="row">{escape(level)}</th>{cells}</tr>'


def _cell(row: dict[str, Any], strongest: float) -> str:
    gradient = row["gradient"]
    wrong = bool(gradient) != row["expected"]
    words = f"update {row['row']} ({row['address']}): gradient {gradient:.3g}"
    shade = 0.0
    if gradient > 0:
        shade = max(0.15, 1 + math.log10(gradient / strongest) / DECADES)
    kind = "update none" if not gradient else "update"
    return (
        f'<td class="{kind}" style="--shade:{100 * shade:.0f}%" title="{escape(words)}">'
        f'<span class="unseen">{escape(words)}</span>{"×" if wrong else ""}</td>'
    )
