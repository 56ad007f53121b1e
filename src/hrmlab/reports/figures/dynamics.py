"""Figures of recurrent dynamics: how states move from update to update."""

from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.results.probes import Measurement

OUTCOMES = ((True, "right", PALETTE[0]), (False, "wrong", PALETTE[1]))
"""Puzzles by their final answer, with the colours they have on every figure."""


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
        _banded(axes, [row["segment"] + row["row"] / updates for row in rows], rows, "relative", level)
    axes.axhline(0, color=INK, lw=0.5)
    axes.set(xlabel="segment", ylabel="relative change")
    axes.set_yscale("symlog", linthresh=1e-3)
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "convergence_index",
    "Cycles of the fast level",
    "Spike: the fast level's step after a slow update, over its step before; above 1 the slow update throws it off. "
    "Contraction: its last step in a cycle over its first; below 1 it converges. Lines are medians, bands the middle "
    "half. HRM's figure shows spikes above and contractions below the line.",
)
def convergence_index(measurement: Measurement, figure: Any) -> None:
    pairs = list(dict.fromkeys((row["slow"], row["fast"]) for row in measurement.table))
    for axes, (slow, fast) in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        rows = [row for row in measurement.table if (row["slow"], row["fast"]) == (slow, fast)]
        for name in ("spike", "contraction"):
            _banded(axes, [row["cycle"] for row in rows], rows, name, name)
        axes.axhline(1, color=INK, lw=0.5)
        axes.set_yscale("log", base=2)
        axes.set(xlabel=f"cycle of {fast} in {slow}", ylabel="ratio of steps")
        axes.legend(title=f"n = {measurement.n}")


@chart(
    "settling",
    "Late drift and halting value",
    "Each point is a puzzle: how much its state still moves at the end, and its halting value there. Wrong answers on "
    "the left have come to rest; those on the right are still searching. The line is the cut, where there is one.",
)
def settling(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    for flag, name, colour in OUTCOMES:
        rows = [row for row in measurement.table if row["right"] is flag]
        axes.plot(
            [max(row["drift"], 1e-7) for row in rows],
            [row["halt"] for row in rows],
            ls="", marker="o", ms=3, alpha=0.7, color=colour, label=f"{name}, {len(rows)}",
        )  # fmt: skip
    if measurement.scalars["cut"] is not None:
        axes.axvline(measurement.scalars["cut"], color=INK, lw=0.8, ls="--")
    axes.set_xscale("log")
    axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.set(xlabel="drift over the last segments", ylabel="halting value")
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "jacobian",
    "Spectral radius and norm of steps",
    "Each point is a puzzle. Above the line errors grow: in the long run (radius), or in one step and the worst "
    "direction (norm). The radius means the long run only where the state is at rest: filled points.",
    (7.0, 3.6),
)
def jacobian(measurement: Measurement, figure: Any) -> None:
    table = measurement.table
    maps, depths = (list(dict.fromkeys(row[key] for row in table)) for key in ("map", "segment"))
    for axes, number in zip(figure.subplots(1, 2), ("radius", "norm"), strict=True):
        for flag, name, colour in OUTCOMES:
            for rest in (True, False):
                rows = [row for row in table if row["right"] is flag and row["fixed_point"] is rest]
                x = [maps.index(r["map"]) * (len(depths) + 1) + depths.index(r["segment"]) for r in rows]
                shifted = [at + (r["puzzle"] % 7 - 3) / 12 for at, r in zip(x, rows, strict=True)]
                axes.plot(
                    shifted, [row[number] for row in rows], ls="", marker="o", ms=3, alpha=0.8, color=colour,
                    mfc=colour if rest else "none",
                    label=f"{name}, {'at rest' if rest else 'moving'}" if rows else None,
                )  # fmt: skip
        axes.axhline(1, color=INK, lw=0.5)
        axes.set_yscale("log")
        ticks = [(m * (len(depths) + 1) + d, f"{depth}") for m in range(len(maps)) for d, depth in enumerate(depths)]
        axes.set_xticks([at for at, _ in ticks], [text for _, text in ticks], fontsize=7)
        axes.set(xlabel=f"after segment, for {', '.join(maps)}", ylabel=f"spectral {number}")
    axes.legend(title=f"n = {measurement.n}", fontsize=7)


@chart(
    "contraction",
    "What a segment leaves of a disturbance",
    "Length of the disturbance after a segment over its length before, by its length; lines are medians, bands the "
    "middle half. Below 1 the segment forgets it. 'Swap' goes towards another puzzle's state.",
)
def contraction(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    for direction in dict.fromkeys(row["direction"] for row in measurement.table):
        rows = [row for row in measurement.table if row["direction"] == direction]
        _banded(axes, [row["size"] for row in rows], rows, "kappa", direction)
    axes.axhline(1, color=INK, lw=0.5)
    axes.set_xscale("log")
    axes.set(xlabel="size of the disturbance, in lengths of the state", ylabel="gain over a segment")
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "lyapunov",
    "Largest Lyapunov exponents",
    "Each point is a puzzle's exponent for one update: above the line neighbouring runs part, below it they meet.",
)
def lyapunov(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    for flag, name, colour in OUTCOMES:
        rows = [row for row in measurement.table if row["right"] is flag]
        x = [row["exponent"] + (row["puzzle"] % 9 - 4) / 20 for row in rows]
        axes.plot(x, [row["value"] for row in rows], ls="", marker="o", ms=3, alpha=0.7, color=colour, label=name)
    axes.axhline(0, color=INK, lw=0.5)
    axes.set(xlabel="exponent, largest first", ylabel="nats per update")
    axes.set_xticks(sorted({row["exponent"] for row in measurement.table}))
    axes.legend(title=f"n = {measurement.n}")


def _banded(axes: Any, x: list[float], rows: list[dict[str, Any]], name: str, label: str) -> None:
    """Medians as a line, quartiles as a band."""
    (line,) = axes.plot(x, [row[name] for row in rows], lw=1.2, marker=".", ms=3, label=label)
    low, high = ([row[f"{name}_{q}"] for row in rows] for q in ("q25", "q75"))
    axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, lw=0)
