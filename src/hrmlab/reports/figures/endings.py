"""Figures of where runs end: fixed points, basins, trajectories and the landscape around them."""

from typing import Any

from hrmlab.reports.figures.base import INK, PALETTE, chart
from hrmlab.reports.figures.dynamics import OUTCOMES
from hrmlab.results.probes import Measurement


@chart(
    "fixed_point",
    "Staying solved, and puzzles almost solved",
    "Left: share of solved puzzles still right so many segments after their first right answer. Middle: share right at "
    "each depth, beyond the run's own too. Right: share right with so many blank cells left; the last point is the "
    "puzzles as they are. All three should be high and none should fall.",
    (7.5, 2.8),
)
def fixed_point(measurement: Measurement, figure: Any) -> None:
    names = {"stays": "segments after solving", "depth": "segment", "ladder": "blank cells"}
    rows = {part: [row for row in measurement.table if row["part"] == part] for part in names}
    there = [part for part in names if rows[part]]
    for axes, part in zip(figure.subplots(1, len(there), sharey=True, squeeze=False)[0], there, strict=True):
        axes.plot([row["x"] for row in rows[part]], [row["y"] for row in rows[part]], marker=".", ms=4, lw=1.2)
        axes.set(xlabel=names[part], ylim=(-0.03, 1.03), title=f"n = {rows[part][0]['n']}")
    figure.axes[0].set_ylabel("share right")


@chart(
    "path_independence",
    "The same end from other beginnings",
    "Each point is a puzzle run twice, the second time from noise or from another puzzle's final state: how alike the "
    "final states are, and the answers. Top right: the end is the puzzle's alone.",
)
def path_independence(measurement: Measurement, figure: Any) -> None:
    starts = list(dict.fromkeys(row["start"] for row in measurement.table))
    for axes, start in zip(figure.subplots(1, len(starts), squeeze=False, sharey=True)[0], starts, strict=True):
        for flag, name, colour in OUTCOMES:
            rows = [row for row in measurement.table if row["start"] == start and row["right"] is flag]
            axes.plot(
                [row["alignment"] for row in rows], [row["agreement"] for row in rows],
                ls="", marker="o", ms=4, alpha=0.6, color=colour, label=f"{name} at first, {len(rows)}",
            )  # fmt: skip
        axes.set(xlabel="cosine of final states", title=f"from {start}, n = {measurement.n}")
    figure.axes[0].set_ylabel("cells answered alike")
    figure.axes[0].legend()


@chart(
    "attractors",
    "Answers of several runs",
    "Left: each column is a puzzle, its parts the shares of runs that end in one answer; dots mark puzzles whose first "
    "run is right. Right: accuracy of choosing one among so many runs; 'any' looks at the solution.",
    (7.5, 3.2),
)
def attractors(measurement: Measurement, figure: Any) -> None:
    left, right = figure.subplots(1, 2)
    basins = [row for row in measurement.table if row["part"] == "basin"]
    floor = dict.fromkeys((row["x"] for row in basins), 0.0)
    for row in basins:
        colour = PALETTE[min(row["line"] - 1, len(PALETTE) - 1)]
        left.bar(row["x"], row["y"], 0.9, floor[row["x"]], color=colour)
        floor[row["x"]] += row["y"]
    solved = sorted({row["x"] for row in basins if row["right"]})
    left.plot(solved, [1.04] * len(solved), ls="", marker=".", ms=3, color=INK)
    left.set(xlabel=f"puzzle, n = {measurement.n}", ylabel="share of runs")
    votes = [row for row in measurement.table if row["part"] == "vote"]
    for way in dict.fromkeys(row["line"] for row in votes):
        rows = [row for row in votes if row["line"] == way]
        right.plot([r["x"] for r in rows], [r["y"] for r in rows], lw=1.2, marker=".", ms=4, label=way)
    right.set(xlabel="runs", ylabel="share right")
    right.xaxis.get_major_locator().set_params(integer=True)
    right.legend(title="chosen by")


@chart(
    "trajectory",
    "Trajectories in the plane of most variance",
    "Each line is a puzzle's way through the first two principal axes, its end marked. How much of the variance the "
    "plane holds stands on the axis: what lies outside it is not seen.",
    (5.0, 4.2),
)
def trajectories(measurement: Measurement, figure: Any) -> None:
    axes, known = figure.subplots(), set[bool]()
    ways = [row for row in measurement.table if row["part"] == "all"]
    for puzzle in dict.fromkeys(row["line"] for row in ways):
        rows = [row for row in ways if row["line"] == puzzle]
        _, name, colour = OUTCOMES[0 if rows[0]["right"] else 1]
        axes.plot([r["x"] for r in rows], [r["y"] for r in rows], lw=0.6, alpha=0.5, color=colour)
        label = None if rows[0]["right"] in known else name
        axes.plot(rows[-1]["x"], rows[-1]["y"], ls="", marker="o", ms=4, color=colour, label=label)
        known.add(rows[0]["right"])
    share = float(measurement.scalars["in_plane"] or 0)
    axes.set(xlabel=f"first axis ({share:.0%} of the variance in the plane)", ylabel="second axis", aspect="equal")
    axes.legend(title=f"n = {measurement.n}")


@chart(
    "trajectory",
    "Landscape around one trajectory",
    "The plane of one puzzle's own way, its end at the centre. Colour: rules that the answer read there breaks. "
    "Arrows: where one segment leads, shortened to a third.",
    (5.6, 4.4),
)
def landscape(measurement: Measurement, figure: Any) -> None:
    axes = figure.subplots()
    land = [row for row in measurement.table if row["part"] == "land"]
    xs, ys = (sorted({row[key] for row in land}) for key in ("x", "y"))
    heights = {(row["x"], row["y"]): row["height"] for row in land}
    grid = [[heights[x, y] for x in xs] for y in ys]
    mesh = axes.pcolormesh(xs, ys, grid, cmap="cividis_r", shading="nearest", rasterized=True)
    figure.colorbar(mesh, ax=axes, label=str(measurement.scalars["height"]))
    arrows = [row for row in land if xs.index(row["x"]) % 2 == 0 and ys.index(row["y"]) % 2 == 0]
    x, y, dx, dy = ([row[key] for row in arrows] for key in ("x", "y", "dx", "dy"))
    axes.quiver(x, y, dx, dy, angles="xy", scale_units="xy", scale=3, width=0.003, color=PALETTE[1])
    way = [row for row in measurement.table if row["part"] == "way"]
    axes.plot([r["x"] for r in way], [r["y"] for r in way], lw=1, marker="o", ms=3, color=PALETTE[3])
    axes.plot(0, 0, marker="*", ms=10, color=PALETTE[3])
    share = float(measurement.scalars["in_own_plane"] or 0)
    axes.set(xlabel=f"first axis ({share:.0%} of this puzzle's variance in the plane)", ylabel="second axis")
