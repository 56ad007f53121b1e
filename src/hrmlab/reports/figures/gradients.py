"""Figures of gradient flow: lengths, bias, noise, updates, conflicts, the puzzle table, magnitudes."""

from collections.abc import Sequence
from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.results.probes import Measurement

Row = dict[str, Any]


@chart(
    "gradient_norms",
    "Gradient on its way back",
    "From right to left the loss's gradient goes back through the updates; the band holds the middle half of the "
    "puzzles. Filled marks: rows that training gives gradient. Level lines are sound, steep ones vanish or explode.",
)
def gradient_norms(measurement: Measurement, figure: Any) -> None:
    spans = list(dict.fromkeys(row["span"] for row in measurement.table))
    for axes, span in zip(figure.subplots(1, len(spans), squeeze=False)[0], spans, strict=True):
        for level, rows in _grouped([row for row in measurement.table if row["span"] == span], "level").items():
            rows = sorted((row for row in rows if row["gradient"]), key=lambda row: -row["back"])
            x = [-row["back"] for row in rows]
            (line,) = axes.plot(x, [row["gradient"] for row in rows], lw=1.2, marker="o", ms=3, mfc="none", label=level)
            axes.fill_between(x, *_band(rows, "gradient"), color=line.get_color(), alpha=0.2, lw=0)
            own = [(-row["back"], row["gradient"]) for row in rows if row["trained"]]
            axes.plot(*zip(*own, strict=True), "o", ms=3, color=line.get_color()) if own else None
        axes.set(xlabel="rows before the end", ylabel="|dL/dz|", title=_counted(span, "segment"), yscale="log")
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "gradient_bias",
    "Training gradient against the whole one",
    "Each cell is the cosine between a group's gradient through the last k rows and through all. 'training' is what "
    "the schedule gives; 'ceiling' is what two half batches agree to: more cannot be asked for.",
    (7.0, 4.0),
)
def gradient_bias(measurement: Measurement, figure: Any) -> None:
    rows = [row for row in measurement.table if row["against"] == "full"]
    names = {0: "training"} | {row["k"]: f"{row['k']}" for row in rows if row["k"]}
    groups = list(dict.fromkeys(row["group"] for row in rows))
    found = {(row["group"], names[row["k"]]): row["cosine"] for row in rows}
    found |= {(row["group"], "ceiling"): row["ceiling"] for row in rows if not row["k"]}
    columns = [*names.values(), "ceiling"]
    axes = figure.subplots()
    _heat(axes, columns, groups, [[found.get((group, column)) for column in columns] for group in groups])
    axes.set(xlabel=f"rows with gradient (cosine with all rows, n = {measurement.n})")


@chart(
    "adjoint",
    "Residual of the adjoint",
    "A line that falls leads to the exact gradient of the fixed point; one that stays or rises has none there. The "
    "band holds the middle half of the puzzles.",
)
def adjoint(measurement: Measurement, figure: Any) -> None:
    axes, x = figure.subplots(), [row["iteration"] for row in measurement.table]
    axes.fill_between(x, *_band(measurement.table, "residual"), color=PALETTE[6], alpha=0.3, lw=0)
    for name in ("right", "wrong"):
        if any(row[name] is not None for row in measurement.table):
            axes.plot(x, _numbers(measurement.table, name), lw=1.2, label=f"answered {name}")
    axes.set(xlabel="iteration", ylabel="relative change of u", yscale="log")
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "noise_scale",
    "Signal and noise of single puzzles' gradients",
    "Left: signal to noise of a group's parameters, averaged; more is better. Right: how many puzzles average the "
    "noise down to the signal; the line is the batch. Groups without a bar have no signal that can be told from zero.",
)
def noise_scale(measurement: Measurement, figure: Any) -> None:
    groups = [row["group"] for row in measurement.table]
    left, right = figure.subplots(1, 2, sharey=True)
    left.barh(groups, _numbers(measurement.table, "gsnr"), color=PALETTE[0])
    left.set(xlabel="signal / noise (GSNR)", title=f"n = {measurement.n}")
    right.barh(groups, _numbers(measurement.table, "noise_scale"), color=PALETTE[1])
    if measurement.scalars["batch_size"] is not None:
        right.axvline(measurement.scalars["batch_size"], color=INK, lw=0.8, label="batch")
        right.legend()
    if any(row["noise_scale"] for row in measurement.table):
        right.set_xscale("log")
    right.set(xlabel="noise scale, puzzles")


@chart(
    "updates",
    "Size of optimiser steps",
    "Each line is a part of the model: how much of its length a step changes at the peak learning rate. Around 0.001 "
    "to 0.01 is usual; the dashed line is too much. The first steps after a fresh start are the largest.",
)
def updates(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    for group, rows in _grouped(measurement.table, "group").items():
        axes.plot([row["step"] for row in rows], _numbers(rows, "ratio"), lw=1.2, marker=".", label=group)
    axes.axhline(measurement.thresholds[0]["value"], color=INK, lw=0.8, ls="--")
    axes.set_xticks(list(dict.fromkeys(row["step"] for row in measurement.table)))
    axes.set(xlabel=f"step (n = {measurement.n})", ylabel="|change| / |weights|", yscale="log")
    axes.legend(ncols=2, fontsize=7)


@chart(
    "loss_conflict",
    "Do the losses agree?",
    "Left: cosine of the answer's gradient with each halting loss's, by part of the model; below zero they pull "
    "against each other. Right: the same between the losses of different segments.",
    (7.0, 3.6),
)
def loss_conflict(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2)
    terms = _grouped([row for row in measurement.table if row["what"] == "term"], "b")
    for number, (name, rows) in enumerate(terms.items()):
        places = [place + 0.8 * number / len(terms) for place in range(len(rows))]
        left.barh(places, _numbers(rows, "cosine"), 0.8 / len(terms), color=PALETTE[number], label=name)
        left.set_yticks(range(len(rows)), [row["group"] for row in rows])
    left.axvline(0, color=INK, lw=0.5)
    left.set(xlabel="cosine with the answer's gradient", xlim=(-1, 1))
    if terms:
        left.legend(title=f"n = {measurement.n}")
    pairs = {(row["a"], row["b"]): row["cosine"] for row in measurement.table if row["what"] == "segment"}
    names = list(dict.fromkeys(name for pair in pairs for name in pair))
    both = pairs | {(b, a): value for (a, b), value in pairs.items()} | {(name, name): 1.0 for name in names}
    short = [name.removeprefix("segment ") for name in names]
    _heat(right, short, short, [[both[a, b] for b in names] for a in names])
    right.set(xlabel="segment", ylabel="segment")


@chart(
    "puzzle_embedding",
    "Answers under other identifiers",
    "Share of right cells with each puzzle's own row of the table, the blank row, a random one, and another puzzle's. "
    "If the own row does not win where the table was trained, the identifiers do not fit.",
)
def puzzle_embedding(measurement: Measurement, figure: Any) -> None:
    axes, parts = figure.subplots(), _grouped(measurement.table, "puzzles")
    for number, (name, rows) in enumerate(parts.items()):
        places = [place + 0.8 * number / len(parts) for place in range(len(rows))]
        bars = axes.bar(places, _numbers(rows, "cells"), 0.8 / len(parts), label=name)
        axes.bar_label(bars, fmt="%.2f", fontsize=7)
        axes.set_xticks(range(len(rows)), [row["ids"] for row in rows])
    axes.set(xlabel="identifiers", ylabel="right cells", ylim=(0, 1.05))
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "numerics",
    "Largest numbers",
    "Each mark is a parameter, or a place in the model over a whole run. Crosses are places with numbers that are not "
    "finite. The line is the largest number of half precision.",
)
def numerics(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    for name, rows in _grouped(measurement.table, "what").items():
        x = range(len(rows))
        (line,) = axes.plot(x, [max(row["largest"], 1e-12) for row in rows], ".", ms=4, label=name)
        lost = [(place, max(row["largest"], 1e-12)) for place, row in zip(x, rows, strict=True) if row["bad"]]
        axes.plot(*zip(*lost, strict=True), "x", ms=8, color=line.get_color()) if lost else None
    axes.axhline(measurement.thresholds[1]["value"], color=INK, lw=0.8, ls="--")
    axes.set(xlabel="place, in order", ylabel="largest magnitude", yscale="log")
    axes.legend(title=f"n = {measurement.n}")


def _heat(axes: Any, columns: Sequence[str], lines: Sequence[str], values: Sequence[Sequence[float | None]]) -> None:
    """Cosines as coloured cells with their numbers, the first line on top."""
    numbers = [[float("nan") if value is None else value for value in line] for line in values]
    axes.pcolormesh(numbers, cmap="RdBu", vmin=-1, vmax=1, alpha=0.6, edgecolors="none")
    for y, line in enumerate(values):
        for x, value in enumerate(line):
            axes.text(x + 0.5, y + 0.5, "-" if value is None else f"{value:.2f}", ha="center", va="center", fontsize=7)
    axes.set_xticks([x + 0.5 for x in range(len(columns))], columns)
    axes.set_yticks([y + 0.5 for y in range(len(lines))], lines)
    axes.invert_yaxis()


def _grouped(rows: Sequence[Row], key: str) -> dict[Any, list[Row]]:
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(row[key], []).append(row)
    return found


def _band(rows: Sequence[Row], name: str) -> tuple[list[float], list[float]]:
    return _numbers(rows, f"{name}_q25"), _numbers(rows, f"{name}_q75")


def _numbers(rows: Sequence[Row], name: str) -> list[float]:
    return [float("nan") if row[name] is None else float(row[name]) for row in rows]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
