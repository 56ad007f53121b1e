"""Figures of how answers come about, and of the puzzles themselves."""

from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.results.probes import Measurement


@chart(
    "decoding",
    "What the model would answer after each update",
    "Left: share of the unknown cells that are right, and of puzzles that are wholly right, read as the model would "
    "(plain) and with the answer level's network run once more (preview). Right: share of the unknown cells that "
    "change at each update of the answer level.",
)
def decoding(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2)
    updates = 1 + max(row["row"] for row in measurement.table)
    x = [row["segment"] + (row["row"] + 1) / updates for row in measurement.table]
    for lens, colour in (("plain", PALETTE[0]), ("preview", PALETTE[1])):
        left.plot(x, [row[f"{lens}_cells"] for row in measurement.table], color=colour, label=f"cells, {lens}")
        left.plot(x, [row[f"{lens}_exact"] for row in measurement.table], ":", color=colour, label=f"puzzles, {lens}")
    left.set(xlabel="segments done", ylabel="share right", ylim=(0, 1.02))
    left.legend(title=f"n = {measurement.n}")
    answers = [row for row in measurement.table if row["level"] == measurement.table[-1]["level"]]
    ends = [row["segment"] + (row["row"] + 1) / updates for row in answers]
    for name, label, colour in (
        ("churn", "changed", INK),
        ("mended", "wrong to right", PALETTE[2]),
        ("spoilt", "right to wrong", PALETTE[1]),
        ("swapped", "wrong to wrong", PALETTE[4]),
    ):
        right.plot(ends, [row[f"plain_{name}"] for row in answers], color=colour, label=label, lw=1.2)
    right.set(xlabel="segments done", ylabel="share of unknown cells")
    right.legend()


@chart(
    "critical_step",
    "The loss around its steepest segment",
    "All puzzles whose loss falls, laid over each other at the segment where it falls most: median, and the middle "
    "half. A cliff at 0 is a decisive step; a ramp is an answer that comes bit by bit.",
    size=(5.2, 3.2),
)
def critical_step(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    if not measurement.table:
        axes.text(0.5, 0.5, "every loss is low from the first segment on", ha="center", transform=axes.transAxes)
        axes.set_axis_off()
        return
    x = [row["offset"] for row in measurement.table]
    axes.plot(x, [row["loss"] for row in measurement.table], marker=".", color=PALETTE[0], label="median")
    low, high = ([row[f"loss_{q}"] for row in measurement.table] for q in ("q25", "q75"))
    axes.fill_between(x, low, high, color=PALETTE[0], alpha=0.2, lw=0)
    axes.axvline(0, color=INK, lw=0.5, ls=":")
    axes.set(xlabel="segments from the steepest", ylabel="loss of a cell (nats)")
    axes.set_ylim(bottom=0)
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "patterns",
    "How puzzles are solved, and how not",
    "Immediate: right from the first segment on. Delayed: later. Stuck: at rest on a wrong answer. Wandering: wrong, "
    "and moving. Un-solved: was right, and is wrong in the end.",
    size=(6.0, 2.6),
)
def patterns(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = measurement.table
    colours = (PALETTE[2], PALETTE[5], PALETTE[1], PALETTE[4], PALETTE[3])
    bars = axes.barh(range(len(rows)), [row["share"] for row in rows], color=colours)
    axes.bar_label(bars, [f" {row['puzzles']}" for row in rows])
    axes.set_yticks(range(len(rows)), [row["pattern"] for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel=f"share of puzzles (n = {measurement.n})", xlim=(0, 1.08))


@chart(
    "difficulty",
    "Accuracy and segments by rating",
    "Puzzles in groups by their rating, easiest first. Bars: share right in the end. Line: median segments to the "
    "right answer, of those that are right.",
)
def difficulty(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = measurement.table
    names = [_band(row["rating_low"], row["rating_high"]) for row in rows]
    bars = axes.bar(range(len(rows)), [row["accuracy"] for row in rows], color=PALETTE[5], width=0.6)
    axes.bar_label(bars, [f"n = {row['puzzles']}" for row in rows])
    axes.set_xticks(range(len(rows)), names)
    axes.set(xlabel="rating", ylabel="share right", ylim=(0, 1.1))
    depth = axes.twinx()
    depth.spines["right"].set_visible(True)
    y = [float("nan") if row["segments"] is None else row["segments"] for row in rows]
    depth.plot(range(len(rows)), y, color=PALETTE[1], marker="o")
    depth.set_ylabel("segments to the right answer", color=PALETTE[1])
    depth.set_ylim(bottom=0)


@chart(
    "depth_scaling",
    "What more thinking buys",
    "Share of puzzles wholly right after so many segments; the dotted line marks the depth of training. A curve that "
    "falls behind it was trained for too short a horizon.",
)
def depth_scaling(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = measurement.table
    x = [row["segments"] for row in rows]
    axes.plot(x, [row["accuracy"] for row in rows], marker="o", color=PALETTE[0], label=f"n = {measurement.n}")
    for row in rows:
        if row["training"]:
            axes.axvline(row["segments"], color=INK, ls=":", lw=1, label="depth of training")
    axes.set_xscale("log", base=2)
    axes.set_xticks(x, [str(depth) for depth in x])
    price = rows[0]["flops"] / rows[0]["segments"]
    axes.set(xlabel=f"segments, each {price:.2g} operations for a puzzle", ylabel="accuracy", ylim=(0, 1.02))
    axes.legend()


@chart(
    "data",
    "What the checks of the puzzles found",
    "Puzzles that fail each check, of those looked at. Anything but zeros is worth mending before the model is blamed.",
    size=(6.4, 3.4),
)
def data(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = measurement.table
    shares = [row["found"] / max(row["looked_at"], 1) for row in rows]
    bars = axes.barh(range(len(rows)), shares, color=PALETTE[1])
    axes.bar_label(bars, [f" {row['found']} of {row['looked_at']}" for row in rows])
    axes.set_yticks(range(len(rows)), [f"{row['set']}: {row['check']}" for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel=f"share of puzzles (n = {measurement.n})", xlim=(0, 1.2))


def _band(low: int, high: int) -> str:
    return str(low) if low == high else f"{low} to {high}"
