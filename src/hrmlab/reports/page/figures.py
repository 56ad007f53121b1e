"""Every probe on the page: its question, its figures and how to read them, its caveats, and its data in a fold."""

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from hrmlab.errors import MissingExtraError
from hrmlab.reports.figures import CHARTS, svg
from hrmlab.reports.page.strip import SOURCE
from hrmlab.reports.page.verdicts import number, verdict
from hrmlab.results.probes import Measurement

ROOM = 1_800_000
"""Bytes of all figures together; the page stays under five million."""
ROWS = 60
"""Rows of a table on the page; the file beside it has all."""


class Figures:
    """The sections of all probes, and which figures had to be left out."""

    def __init__(self, measurements: list[Measurement], room: int = ROOM) -> None:
        self.left_out: list[str] = []
        self._room, self._number = room, 0
        self.html = "\n".join(self._section(m) for m in measurements if m.verdict != "n/a")

    def _section(self, measurement: Measurement) -> str:
        drawn = "\n".join(self._figures(measurement)) if measurement.table else ""
        if measurement.probe == SOURCE:
            drawn += '<p class="fine">Its figure is the <a href="#schedule">schedule</a>.</p>'
        caveats = "".join(f"<li>{escape(caveat)}</li>" for caveat in measurement.caveats)
        return (
            f'<section class="probe" id="probe-{escape(measurement.probe)}">'
            f"<h3>{measurement.code} {escape(measurement.probe)} {verdict(measurement.verdict)}</h3>"
            f'<p class="question">{escape(measurement.question)}</p>\n{drawn}\n'
            f"{f'<ul class=caveats>{caveats}</ul>' if caveats else ''}"
            f'<p class="fine">n = {measurement.n}, {measurement.seconds:.1f} s. {escape(measurement.definition)} '
            f"Source: {escape(measurement.source)}.</p>{_data(measurement)}</section>"
        )

    def _figures(self, measurement: Measurement) -> Iterator[str]:
        for chart in CHARTS.get(measurement.probe, []):
            name = f"{measurement.probe}: {chart.title}"
            try:
                picture = slim(svg(chart, measurement), f"f{self._number}-")
            except MissingExtraError as missing:
                self.left_out.append(name)
                yield f'<p class="fine">{escape(chart.title)}: {escape(str(missing))}</p>'
                continue
            self._number += 1
            if len(picture) > self._room:
                self.left_out.append(name)
                yield f'<p class="fine">{escape(chart.title)}: too large for this page; its data are in report.json</p>'
                continue
            self._room -= len(picture)
            title = escape(chart.title)
            stop = "" if title[-1] in ".?!" else "."
            yield (
                f'<figure><div class="scroll" tabindex="0" role="img" aria-label="{title}">{picture}</div>'
                f"<figcaption><b>{title}{stop}</b> {escape(chart.reading)}</figcaption></figure>"
            )


def slim(picture: str, prefix: str) -> str:
    """An SVG for the inside of a page: ids of its own, two decimals in its drawing, no metadata, no namespaces."""
    picture = re.sub(r"<metadata>.*?</metadata>", "", picture, flags=re.DOTALL)
    picture = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", picture).replace("xlink:href", "href")
    picture = re.sub(r"<!--.*?-->\n?", "", picture, flags=re.DOTALL)
    picture = re.sub(r'\bid="', f'id="{prefix}', picture)
    picture = re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}", picture)
    return re.sub(r'="[^"]*"', lambda value: re.sub(r"-?\d+\.\d{3,}", _shorter, value[0]), picture)


def _shorter(found: re.Match[str]) -> str:
    value = float(found[0])
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) >= 0.1 else f"{value:.3g}"


def _data(measurement: Measurement) -> str:
    """Numbers that sum it up, thresholds and the first rows of the table, folded."""
    parts = [
        _table("numbers", [{"number": name, "value": value} for name, value in measurement.scalars.items()]),
        _table("thresholds", measurement.thresholds),
        _table("table", measurement.table[:ROWS]),
    ]
    more = len(measurement.table) - ROWS
    note = f'<p class="fine">{more} more rows are in report.json.</p>' if more > 0 else ""
    return f"<details><summary>data ({len(measurement.table)} rows)</summary>{''.join(parts)}{note}</details>"


def _table(caption: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{number(value)}</td>" for value in row.values()) + "</tr>" for row in rows)
    return (
        f'<div class="scroll" tabindex="0"><table><caption>{caption}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
