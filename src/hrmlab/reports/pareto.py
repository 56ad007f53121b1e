"""The figure of a search: every trial by cost and accuracy, and those that none beats."""

import io
from collections.abc import Sequence
from typing import Any

from hrmlab.errors import MissingExtraError
from hrmlab.reports.figures.base import PALETTE


def pareto(trials: Sequence[dict[str, Any]], front: Sequence[int]) -> str:
    """As SVG text.

    Args:
        trials: each with `number`, `preset`, `exact` and `cost`.
        front: numbers of the trials to be joined by a line, cheapest first.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
    except ImportError:
        raise MissingExtraError("figures need matplotlib; type `pip install 'hrm-lab[report]'`") from None
    from matplotlib.figure import Figure

    by_number = {trial["number"]: trial for trial in trials}
    with matplotlib.rc_context({"svg.hashsalt": "hrm-lab", "svg.fonttype": "none"}):
        figure = Figure(figsize=(7.0, 4.0), layout="constrained")
        axes = figure.subplots()
        axes.scatter([t["cost"] for t in trials], [t["exact"] for t in trials], color=PALETTE[6], s=18, label="trials")
        best = [by_number[number] for number in front]
        axes.plot([t["cost"] for t in best], [t["exact"] for t in best], color=PALETTE[0], marker="o", label="best")
        for trial in best:
            axes.annotate(str(trial["number"]), (trial["cost"], trial["exact"]), (3, 4), textcoords="offset points")
        preset = [trial for trial in trials if trial["preset"]]
        style: Any = {"color": PALETTE[1], "marker": "*", "s": 120, "zorder": 3}
        axes.scatter([t["cost"] for t in preset], [t["exact"] for t in preset], label="preset", **style)
        axes.set(xscale="log", xlabel="operations for an answer", ylabel="puzzles all right")
        axes.legend()
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
