"""The pictures of a study: gains with their intervals, learning curves, and accuracy against what it costs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hrmlab.reports.figures.base import PALETTE
from hrmlab.results import Study, StudyArm, StudyCurve, StudyRow

COLOUR = {"accept": PALETTE[2], "reject": PALETTE[1], "inconclusive": PALETTE[6], None: PALETTE[6]}
MARKERS = "os^DvP*X"
COSTS: tuple[tuple[str, Callable[[StudyArm], float | None]], ...] = (
    ("training operations", lambda arm: arm.flops),
    ("operations of a segment", lambda arm: arm.segment_flops),
    ("bytes in training", lambda arm: arm.training_bytes),
    ("milliseconds a puzzle", lambda arm: arm.milliseconds),
)


@dataclass(frozen=True)
class Picture:
    """A figure by name, how it is read, and how it is drawn. size: inches."""

    name: str
    reading: str
    size: tuple[float, float]
    draw: Callable[[Any], None]


def pictures(study: Study) -> Iterator[Picture]:
    """Those that the study's results allow."""
    first = study.table[0]
    rows = [row for row in study.table if (row.evaluation, row.measure) == (first.evaluation, first.measure)]
    if judged := [row for row in rows if row.effect is not None]:
        reading = (
            f"Mean gain in {first.measure} over '{study.reference}', with 95% intervals over seeds; small dots are "
            "single seeds. Green: better; orange: worse, or not better by enough; grey: nothing shown."
        )
        size = (7.0, 1.2 + 0.34 * len(judged))
        yield Picture("forest", reading, size, lambda figure: forest(figure, study, judged))
    if study.curves:
        reading = "Mean over seeds; the band goes from the lowest seed to the highest."
        yield Picture("curves", reading, (9.0, 3.6), lambda figure: courses(figure, study.curves))
    if any(row.mean is not None for row in rows):
        reading = "Arms that no other beats in both are joined: the Pareto front of these means, noise and all."
        yield Picture("pareto", reading, (9.0, 5.6), lambda figure: fronts(figure, study.arms, rows))


def forest(figure: Any, study: Study, rows: list[StudyRow]) -> None:
    """A line an arm, from the top, with zero marked."""
    axes, places = figure.subplots(), range(len(rows), 0, -1)
    axes.axvline(0, lw=0.8, color=PALETTE[6])
    for place, row in zip(places, rows, strict=True):
        low, high = row.effect_interval or (row.effect, row.effect)
        colour = COLOUR[row.decision]
        gains = seed_gains(study, row)
        axes.plot(gains, [place - 0.22] * len(gains), ".", ms=3, color=colour, alpha=0.7)
        axes.plot([low, high], [place, place], lw=2, color=colour)
        axes.plot([row.effect], [place], "o", ms=6, color=colour)
    axes.set_yticks(list(places), [row.arm for row in rows])
    axes.set_ylim(0.4, len(rows) + 0.6)
    axes.set_xlabel(f"gain in {rows[0].measure} over '{study.reference}'")


def seed_gains(study: Study, row: StudyRow) -> list[float]:
    """Of each seed that both arms have, positive where better."""
    found = {
        (cell.arm, cell.seed): cell.results[row.evaluation][row.measure] for cell in study.cells if cell.state == "done"
    }
    pairs = [(found.get((study.reference, seed)), found.get((row.arm, seed))) for seed in study.seeds]
    gains = [after - before for before, after in pairs if before is not None and after is not None]
    mean = sum(gains) / len(gains)
    sign = -1 if row.effect is not None and mean * row.effect < 0 else 1  # lower is better
    return [sign * gain for gain in gains]


def courses(figure: Any, curves: list[StudyCurve]) -> None:
    """One panel a measure."""
    measures = list(dict.fromkeys(curve.measure for curve in curves))
    panels = figure.subplots(1, len(measures), squeeze=False)[0]
    names = {"loss": "training loss", "exact": "held-out puzzles exactly right"}
    for axes, measure in zip(panels, measures, strict=True):
        for number, curve in enumerate(one for one in curves if one.measure == measure):
            style = {"color": PALETTE[number % len(PALETTE)], "ls": ("-", "--", ":")[number // len(PALETTE) % 3]}
            axes.plot(curve.steps, curve.mean, lw=1.3, label=curve.arm, **style)
            axes.fill_between(curve.steps, curve.low, curve.high, color=style["color"], alpha=0.15, lw=0)
        axes.set(xlabel="optimiser steps", ylabel=names[measure])
        if measure == "loss":
            axes.set_yscale("log")
    panels[0].legend(fontsize="x-small")


def fronts(figure: Any, arms: list[StudyArm], rows: list[StudyRow]) -> None:
    """The measure against each cost, a panel each."""
    means = {row.arm: row.mean for row in rows}
    panels = figure.subplots(2, 2, sharey=True).ravel()
    for axes, (name, cost) in zip(panels, COSTS, strict=True):
        points = [(cost(arm), means[arm.name], number) for number, arm in enumerate(arms)]
        known = [(x, y, number) for x, y, number in points if x is not None and y is not None]
        for x, y, number in known:
            colour, marker = PALETTE[number % len(PALETTE)], MARKERS[number // len(PALETTE) % len(MARKERS)]
            axes.plot([x], [y], ls="", marker=marker, color=colour, label=arms[number].name)
        best = front([(x, y) for x, y, _ in known])
        axes.plot([x for x, _ in best], [y for _, y in best], lw=0.8, color=PALETTE[6], zorder=0)
        axes.set(xlabel=name if known else f"{name} (not fixed by this budget)", ylabel=rows[0].measure)
        if known:
            axes.set_xscale("log")
    handles = {
        label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, fontsize="x-small")


def front(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points (cost, value) that none is both cheaper and better than, cheapest first."""
    best: list[tuple[float, float]] = []
    for x, y in sorted(points, key=lambda point: (point[0], -point[1])):
        if not best or y > best[-1][1]:
            best.append((x, y))
    return best
