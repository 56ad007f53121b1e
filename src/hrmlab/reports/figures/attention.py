"""Figures of attention: whether the patterns hold, how wide they are, what they look at."""

from typing import Any

from hrmlab.reports.figures.base import PALETTE, chart
from hrmlab.results.probes import Measurement


def _heads(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(f"{row['place']} {row['head']}" for row in rows))


def _grid(
    axes: Any, figure: Any, rows: list[dict[str, Any]], column: str, along: str, label: str, **style: Any
) -> None:
    """Heads down, calls or segments across."""
    heads, steps = _heads(rows), sorted({row[along] for row in rows})
    nan = float("nan")
    values = [[nan] * len(steps) for _ in heads]
    for row in rows:
        value = row[column]
        values[heads.index(f"{row['place']} {row['head']}")][steps.index(row[along])] = nan if value is None else value
    image = axes.imshow(values, aspect="auto", interpolation="nearest", **style)
    axes.set_yticks(range(len(heads)), heads, fontsize=min(8, 120 / len(heads)))
    axes.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label=label)


@chart(
    "attention_capture",
    "Patterns computed again, against what the heads gave",
    "Each bar is a head: the largest relative distance between its output and pattern times values. Rounding stays "
    "below the line; a bar over it means that the patterns shown are not those used.",
)
def attention_capture(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = measurement.table
    axes.bar(range(len(rows)), [max(row["parity_error"], 1e-12) for row in rows], color=PALETTE[0], width=0.8)
    limit = next(t["value"] for t in measurement.thresholds if t["name"] == "parity")
    axes.axhline(limit, color=PALETTE[1], lw=1, label=f"threshold {limit:g}")
    axes.set(yscale="log", ylabel="relative distance", xlabel=f"head, n = {measurement.n}")
    axes.set_xticks(range(len(rows)), _heads(rows), rotation=90, fontsize=min(8, 200 / len(rows)))
    axes.legend()


@chart(
    "attention_entropy",
    "How widely each head looks",
    "Heads down, calls across: 1 looks everywhere alike, 0 at one key. A whole picture near 0 is collapse; a head that "
    "narrows from call to call makes up its mind.",
    (7.0, 4.2),
)
def attention_entropy(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    updates = 1 + max(row["row"] for row in measurement.table)
    rows = [row | {"call": row["segment"] + row["row"] / updates} for row in measurement.table]
    calls = sorted({row["call"] for row in rows})
    _grid(axes, figure, rows, "entropy", "call", "entropy over ln N", vmin=0, vmax=1)
    starts = [at for at, call in enumerate(calls) if at == 0 or int(call) > int(calls[at - 1])]
    axes.set_xticks(starts, [str(int(calls[at])) for at in starts])
    axes.set(xlabel=f"segment, n = {measurement.n}")


@chart(
    "attention_structure",
    "What each head looks at, and what it is worth",
    "Left: the weight on related cells over that of equal weights, in the last segment; 1 is no preference. Right: how "
    "much the loss grows without the head. A head that looks at the rows and costs nothing explains nothing.",
    (7.6, 4.2),
)
def attention_structure(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    end = max(row["segment"] for row in measurement.table)
    rows = [row for row in measurement.table if row["segment"] == end]
    other = ("segment", "level", "place", "head", "ablation", "drift", "distance", "first_in", "first_out")
    names = [name for name in rows[0] if name not in other]
    long = [row | {"what": name, "lift": row[name]} for row in rows for name in names]
    for row in long:
        row["at"] = names.index(row["what"])
    _grid(left, figure, long, "lift", "at", "lift", vmin=0, cmap="cividis")
    left.set_xticks(range(len(names)), names, rotation=90)
    right.barh(range(len(rows)), [row["ablation"] or 0.0 for row in rows], color=PALETTE[1])
    right.set(xlabel=f"nats a cell lost without it, n = {measurement.n}")
