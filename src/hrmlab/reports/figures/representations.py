"""Figures of what states represent."""

from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.results.probes import Measurement


@chart(
    "participation_ratio",
    "How many dimensions the states use",
    "Left: participation ratio as it is usually computed; dotted is the most that so many trajectories could show if "
    "each stood still. Right: corrected for the number of trajectories, so that a flat line is a measurement and a "
    "rising one is not. Dashed: the same model with fresh weights.",
)
def participation_ratio(measurement: Measurement, figure: Any) -> None:
    plain, corrected = figure.subplots(1, 2, sharey=False)
    levels = list(dict.fromkeys(row["level"] for row in measurement.table))
    for axes, column, title in ((plain, "naive", "as it is"), (corrected, "by_rows", "corrected")):
        for level, colour in zip(levels, PALETTE, strict=False):
            for model, style in (("trained", "-"), ("untrained", "--")):
                rows = [row for row in measurement.table if (row["model"], row["level"]) == (model, level)]
                label = level if model == "trained" else None
                x, y = [row["trajectories"] for row in rows], [_number(row[column]) for row in rows]
                axes.plot(x, y, style, color=colour, marker=".", label=label)
        axes.set(xlabel="trajectories", ylabel="participation ratio", title=title)
        axes.set_ylim(bottom=0)
    rows = [row for row in measurement.table if row["model"] == "trained" and row["level"] == levels[0]]
    plain.plot([row["trajectories"] for row in rows], [row["cap_settled"] for row in rows], ":", color=INK, label="cap")
    plain.legend(title=f"n = {measurement.n}")


@chart(
    "effective_rank",
    "Effective rank of the states",
    "Each line is a level after every segment; dashed, the same model with fresh weights. A model that knows its "
    "answer needs few directions to hold it; a rank near one before that has lost the puzzle.",
)
def effective_rank(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    for level, colour in zip(dict.fromkeys(row["level"] for row in measurement.table), PALETTE, strict=False):
        rows = [row for row in measurement.table if row["level"] == level]
        x = [row["segment"] + 1 for row in rows]
        axes.plot(x, [row["effective_rank"] for row in rows], color=colour, marker=".", label=level)
        axes.plot(x, [row["untrained"] for row in rows], "--", color=colour)
    axes.set(xlabel="segment", ylabel="effective rank")
    axes.set_ylim(bottom=0)
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "token_collapse",
    "How far a puzzle's positions are apart",
    "Median over puzzles of the spread between positions, relative to the length of the state; the band holds the "
    "middle half. A line that goes to zero has lost what tells the cells apart.",
)
def token_collapse(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    updates = 1 + max(row["row"] for row in measurement.table)
    for level in dict.fromkeys(row["level"] for row in measurement.table):
        rows = [row for row in measurement.table if row["level"] == level]
        x = [row["segment"] + row["row"] / updates for row in rows]
        (line,) = axes.plot(x, [row["spread"] for row in rows], lw=1.2, marker=".", ms=3, label=level)
        low, high = ([row[f"spread_{q}"] for row in rows] for q in ("q25", "q75"))
        axes.fill_between(x, low, high, color=line.get_color(), alpha=0.2, lw=0)
    axes.set(xlabel="segment", ylabel="spread between positions")
    axes.set_ylim(bottom=0)
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "similarity",
    "How alike the states of all segments and levels are",
    "Dark squares along the diagonal are stretches in which nothing new is represented; dark off-diagonal blocks are "
    "levels that hold the same thing.",
    size=(5.2, 4.4),
)
def similarity(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    names = list(dict.fromkeys((row["a"], row["a_segment"]) for row in measurement.table))
    values = [_number(row["similarity"]) for row in measurement.table]
    count = len(names)
    grid = [values[start : start + count] for start in range(0, count * count, count)]
    image = axes.imshow(grid, vmin=0, vmax=1, cmap="Blues")
    first = {level: at for at, (level, _) in reversed(list(enumerate(names)))}
    per_level = count // len(first)
    ticks = [at + (per_level - 1) / 2 for at in first.values()]
    axes.set_xticks(ticks, list(first))
    axes.set_yticks(ticks, list(first), rotation=90, va="center")
    for at in list(first.values())[1:]:
        axes.axhline(at - 0.5, color=INK, lw=0.7)
        axes.axvline(at - 0.5, color=INK, lw=0.7)
    axes.set(xlabel=f"segments 1 to {per_level} of each level", title=f"n = {measurement.n} rows")
    figure.colorbar(image, ax=axes, label="debiased CKA", shrink=0.8)


@chart(
    "dormant_units",
    "Hidden units that do nothing",
    "For each feed-forward layer the share of units that are quiet: in every call (these are wasted), and in at least "
    "one. Units that are quiet in some calls only are at work in the others.",
)
def dormant_units(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = list({row["site"]: row for row in measurement.table}.values())
    places = range(len(rows))
    axes.barh(places, [row["sometimes"] for row in rows], color=PALETTE[5], label="in some call")
    axes.barh(places, [row["always"] for row in rows], color=PALETTE[1], label="in every call")
    axes.set_yticks(list(places), [f"{row['site']} ({row['units']})" for row in rows])
    axes.invert_yaxis()
    axes.set(xlabel="share of units that are dormant", xlim=(0, 1))
    axes.legend(title=f"n = {measurement.n}")


def _number(value: float | None) -> float:
    return float("nan") if value is None else value
