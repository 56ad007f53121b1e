"""Figures of how the parts of a run bear on each other."""

from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.results.probes import Measurement


@chart(
    "coupling",
    "What each level answers to",
    "Each bar is a way into a level: how much the level's next state moves for a change of the source of the same "
    "relative size. A bar at zero is a part that is cut off; grey is the same model untrained.",
)
def coupling(measurement: Measurement, figure: Any) -> None:
    segments = sorted({row["segment"] for row in measurement.table})
    charts = figure.subplots(1, len(segments), sharey=True, squeeze=False)[0]
    for axes, segment in zip(charts, segments, strict=True):
        rows = [row for row in measurement.table if row["segment"] == segment]
        places = range(len(rows))
        axes.bar(places, [row["untrained"] or 0.0 for row in rows], color=PALETTE[6], alpha=0.5, label="untrained")
        axes.bar(places, [row["gain"] for row in rows], color=PALETTE[0], width=0.5, label="model")
        axes.set_xticks(places, [f"{row['source']} → {row['target']}" for row in rows], rotation=30, ha="right")
        axes.set_title(f"segment {segment}", fontsize=9)
    charts[0].set_ylabel("relative gain")
    charts[0].legend(title=f"n = {measurement.n}")


@chart(
    "interventions",
    "What the answer loses",
    "Each row replaces one thing in the middle segment. Dark: the damage right after it; light: at the end. 0 is none, "
    "1 as bad as another puzzle's answer. A bar that shrinks is a disturbance that the model gets over.",
    (7.0, 6.0),
)
def interventions(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    rows = [row for row in measurement.table if row["target"] != "cell"]
    places = list(range(len(rows)))
    axes.barh([at - 0.2 for at in places], [row["now"] or 0.0 for row in rows], height=0.4, label="after the segment")
    axes.barh(
        [at + 0.2 for at in places], [row["end"] or 0.0 for row in rows], height=0.4, label="at the end",
        color=PALETTE[5],
    )  # fmt: skip
    names = [f"{row['target']}: {row['how']}" for row in rows]
    axes.set_yticks(places, names, fontsize=min(8, 240 / len(rows)))
    axes.axvline(0, color=INK, lw=0.5)
    axes.invert_yaxis()
    axes.set(xlabel="normalised effect")
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "interventions",
    "How far an erased cell is felt",
    "The change of the other cells' answers, by steps and by relation, over its mean over all cells: above "
    "1 is more than anywhere. Information that travels along the task's own relations shows there.",
)
def reach(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    rows = [row for row in measurement.table if row["target"] == "cell"]
    near = [row for row in rows if row["distance"] is not None]
    left.plot([row["distance"] for row in near], [row["now"] for row in near], marker="o")
    left.set(xlabel="steps from the erased cell", ylabel="change over its mean")
    tied = [row for row in rows if row["relation"] is not None]
    right.bar([row["relation"] for row in tied], [row["now"] or 0.0 for row in tied], color=PALETTE[2])
    right.tick_params(axis="x", rotation=30)
    right.set(xlabel=f"same relation, n = {measurement.n}")
    for axes in (left, right):
        axes.axhline(1, color=INK, lw=0.5)
