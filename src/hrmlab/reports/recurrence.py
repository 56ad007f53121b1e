"""The picture of a schedule: a lane for each level, a box for each update, and what each one reads."""

from collections.abc import Mapping, Sequence
from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, drawn

INPUT = "input"


def schedule_figure(name: str, updates: Sequence[Mapping[str, Any]], answer: str) -> str:
    """One segment from left to right, as SVG text.

    Args:
        name: the title.
        updates: each with `target`, `sources`, `network` and `grad`.
        answer: the level that the answer is read from.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    levels = list(dict.fromkeys(update["target"] for update in updates))
    lanes = {level: height for height, level in enumerate([INPUT, *levels])}
    networks = list(dict.fromkeys(update["network"] for update in updates))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        last = dict.fromkeys(lanes, -0.75)
        for height in lanes.values():
            axes.axhline(height, color=INK, linewidth=0.5, alpha=0.25, zorder=0)
        for at, update in enumerate(updates):
            colour = PALETTE[networks.index(update["network"]) % len(PALETTE)]
            here = (at, lanes[update["target"]])
            for source in (update["target"], *update["sources"]):
                start = (at - 0.75 if source == INPUT else last[source], lanes[source])
                style = {"arrowstyle": "-|>", "color": INK, "alpha": 0.55, "shrinkB": 11, "linewidth": 0.8}
                axes.annotate("", here, start, arrowprops=style, zorder=1)
            face = colour if update["grad"] else "none"
            axes.plot(*here, marker="s", markersize=19, markerfacecolor=face, markeredgecolor=colour, zorder=2)
            axes.annotate(str(at), here, ha="center", va="center", color="white" if update["grad"] else INK, zorder=3)
            last[update["target"]] = at
        axes.text(last[answer] + 0.4, lanes[answer] + 0.15, "answer")
        axes.set_yticks(list(lanes.values()), list(lanes))
        for number, network in enumerate(networks):
            axes.plot([], [], marker="s", linestyle="none", color=PALETTE[number % len(PALETTE)], label=network)
        axes.plot([], [], marker="s", linestyle="none", markerfacecolor="none", color=INK, label="without gradient")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=len(networks) + 1, frameon=False)
        axes.set(xlim=(-1, len(updates) + 0.5), ylim=(-0.5, len(lanes) - 0.5), xlabel="update")
        axes.set_xticks([])
        axes.set_title(f"{name}: one segment")

    return drawn(draw, (min(2.5 + 0.7 * len(updates), 40.0), 1.4 + 0.8 * len(lanes)), name)
