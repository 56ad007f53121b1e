"""Figures of halting: what the head promises, what its rules lose."""

from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.results.probes import Measurement


@chart(
    "calibration",
    "What the halting head promises, and what comes true",
    "Each point is a group of answers with a similar promise of being right, as large as the group. On the diagonal "
    "the promises are kept; below it the head is too sure of itself.",
    (7.0, 3.6),
)
def calibration(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    segments = sorted({row["segment"] for row in measurement.table if row["segment"] is not None})
    shown = [None, *dict.fromkeys((segments[0], segments[-1]))]
    for colour, segment in zip(PALETTE, shown, strict=False):
        rows = [row for row in measurement.table if row["segment"] == segment]
        total = sum(row["count"] for row in rows)
        sizes = [10 + 150 * row["count"] / total for row in rows]
        name = "all segments" if segment is None else f"segment {segment}"
        left.plot([row["p"] for row in rows], [row["right"] for row in rows], color=colour, lw=0.8, label=name)
        left.scatter([row["p"] for row in rows], [row["right"] for row in rows], s=sizes, color=colour, alpha=0.7)
    left.plot([0, 1], [0, 1], ls=":", color=INK, lw=1)
    left.set(xlabel="promised probability of being right", ylabel="share that is right")
    left.legend(title=f"n = {measurement.n}")
    firsts = [next(row for row in measurement.table if row["segment"] == segment) for segment in segments]
    for name, colour in (("ece", PALETTE[0]), ("brier", PALETTE[1])):
        right.plot(segments, [row[name] for row in firsts], marker=".", color=colour, label=name)
    right.set(xlabel="segment", ylabel="error")
    right.set_ylim(bottom=0)
    right.legend()


@chart(
    "halting_regret",
    "Accuracy for segments",
    "The black line stops everyone after 1, 2, ... segments; the blue one sweeps the rule's own cutoff; the star stops "
    "each puzzle at its first right answer, which no rule beats. A rule below the black line is worse than none.",
    (7.0, 3.6),
)
def halting_regret(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    styles: dict[str, dict[str, Any]] = {
        "fixed": {"color": INK, "lw": 1, "label": "fixed depth"},
        "rule": {"color": PALETTE[0], "lw": 1, "marker": ".", "label": "the rule, swept"},
        "own": {"color": PALETTE[1], "ls": "", "marker": "o", "ms": 8, "label": "the rule as it is"},
        "oracle": {"color": PALETTE[2], "ls": "", "marker": "*", "ms": 11, "label": "oracle (reads answers)"},
    }
    for name, style in styles.items():
        rows = [row for row in measurement.table if row["frontier"] == name]
        rows.sort(key=lambda row: row["segments"])
        if rows:
            axes.plot([row["segments"] for row in rows], [row["accuracy"] for row in rows], **style)
    axes.set(xlabel="mean segments", ylabel="share right")
    axes.legend(title=f"n = {measurement.n}", loc="lower right")


@chart(
    "q_learning",
    "Halting values, segment by segment",
    "Left: the promise of a right answer and of going on, beside the share that is right. Right: the share of puzzles "
    "that the rules have stopped. All stopped at once, or none to the end, is a head or a cutoff that does not work.",
    (7.0, 3.4),
)
def q_learning(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    rows = measurement.table
    for axes, columns in (
        (left, {"halt": "Q(halt), median", "continue": "Q(continue), median", "right": "share right"}),
        (right, {"stopped_training": "training's rule", "stopped_evaluation": "evaluation's rule"}),
    ):
        for name, label in columns.items():
            if rows[0][name] is not None:
                axes.plot([row["segment"] for row in rows], [row[name] for row in rows], marker=".", label=label)
        axes.set(xlabel="segment", ylim=(-0.03, 1.03))
        axes.legend(title=f"n = {measurement.n}")
    left.set_ylabel("probability or share")
    right.set_ylabel("stopped by then")
