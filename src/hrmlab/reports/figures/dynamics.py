"""Figures of recurrent dynamics."""

from typing import Any

from hrmlab.reports.figures.base import INK, chart
from hrmlab.results.probes import Measurement


@chart(
    "forward_residual",
    "How far each update moves its state",
    "Each line is a level: the median over puzzles of the change of its state, relative to the state's length; the "
    "band holds the middle half. A level that settles goes down; one that is reset by the level above shows teeth.",
)
def forward_residual(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    updates = 1 + max(row["row"] for row in measurement.table)
    for level in dict.fromkeys(row["level"] for row in measurement.table):
        rows = [row for row in measurement.table if row["level"] == level]
        x = [row["segment"] + row["row"] / updates for row in rows]
        (line,) = axes.plot(x, [row["relative"] for row in rows], lw=1.2, marker=".", ms=3, label=level)
        low, high = ([row[f"relative_{q}"] for row in rows] for q in ("q25", "q75"))
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, lw=0)
    axes.axhline(0, color=INK, lw=0.5)
    axes.set(xlabel="segment", ylabel="relative change")
    axes.set_yscale("symlog", linthresh=1e-3)
    axes.legend(title=f"n = {measurement.n}")
