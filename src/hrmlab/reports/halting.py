"""The comparison of halting rules on disk: JSON, a CSV table, and a figure where matplotlib is installed."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from hrmlab.reports.files import write_texts
from hrmlab.results import HaltingReport, HaltingRule

COLUMNS = (
    "name", "threshold", "accuracy", "mean_segments", "p50_segments", "p95_segments", "max_segments", "precision",
    "recall", "premature", "overrun", "unsolvable", "difficulty",
)  # fmt: skip


def write_report(report: HaltingReport, folder: Path) -> HaltingReport:
    """Write `halting.json`, `.md`, `.csv`, `-curves.csv` and `.svg`; the report with their places.

    Raises:
        DataError: the folder cannot be written.
    """
    texts = {
        "halting.csv": _csv(COLUMNS, [_row(rule) for rule in report.rules]),
        "halting-curves.csv": _curves(report),
        "halting.md": _markdown(report),
    }
    figure = _figure(report)
    if figure is not None:
        texts["halting.svg"] = figure
    report = replace(report, files=[str(folder / name) for name in ("halting.json", *texts)])
    texts["halting.json"] = json.dumps(report.plain(), indent=1) + "\n"
    write_texts(folder, texts)
    return report


def _row(rule: HaltingRule) -> list[Any]:
    return [getattr(rule, name) for name in COLUMNS]


def _curves(report: HaltingReport) -> str:
    columns = ("name", "threshold", "accuracy", "mean_segments", "p95_segments", "precision", "recall")
    rows = [[rule.name, *(at[name] for name in columns[1:])] for rule in report.rules for at in rule.curve]
    rows += [
        ["fixed", at["segments"], at["accuracy"], at["segments"], at["segments"], None, None] for at in report.fixed
    ]
    return _csv(columns, rows)


def _markdown(report: HaltingReport) -> str:
    """The table for people, with what it depends on. The oracle is kept apart: it reads the labels."""
    head = ("rule", "threshold", "exact", "segments", "p50", "p95", "max", "precision", "recall", "premature",
            "overrun", "unsolvable", "difficulty")  # fmt: skip
    rows = [head, ("---",) * len(head)]
    for rule in report.rules:
        threshold = "" if rule.threshold is None else f"{rule.threshold:.4g}"
        depths = [f"{depth:g}" for depth in (rule.p50_segments, rule.p95_segments, rule.max_segments)]
        shares = [_percent(share) for share in (rule.precision, rule.recall, rule.premature)]
        difficulty = "" if rule.difficulty is None else f"{rule.difficulty:.2f}"
        rest = [f"{rule.overrun:.2f}", _percent(rule.unsolvable), difficulty]
        name = f"**{rule.name}**" if rule.name == report.best else rule.name
        cells = [name, threshold, _percent(rule.accuracy), f"{rule.mean_segments:.2f}", *depths, *shares, *rest]
        rows.append(tuple(cells))
    everyone, best, about = report.fixed[-1], report.oracle, report.protocol
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines += [
        "",
        f"Everyone to segment {report.segments}: {_percent(everyone['accuracy'])}. Oracle (reads the labels; stops at "
        f"the first right answer): {_percent(best['accuracy'])} in {best['mean_segments']:.2f} segments.",
        "",
        f"Weights: {report.run}, {about.weights}. Puzzles: {about.data}, split {about.split}, seed {about.seed}; "
        f"thresholds picked on {report.validation} to keep {_percent(report.wanted)}, reported on {report.test} "
        f"others, recorded to segment {report.segments}. "
        f"{about.device}, {about.dtype}, torch {about.versions.get('torch', '?')}.",
    ]
    return "\n".join(lines) + "\n"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _csv(columns: tuple[str, ...], rows: list[list[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row] for row in rows])
    return stream.getvalue()


def _figure(report: HaltingReport) -> str | None:
    """Accuracy against mean segments on the left, reliability of the halting head on the right."""
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "halting"  # the same picture from the same numbers
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10.5, 4.2), width_ratios=(3, 2))
    depths = [at["segments"] for at in report.fixed]
    left.plot(depths, [100 * at["accuracy"] for at in report.fixed], "k-", lw=1, label="fixed depth")
    for colour, rule in enumerate(report.rules):
        style = {"color": f"C{colour % 10}", "marker": "os^Dv"[colour // 10], "ms": 5}
        curve = sorted((at["mean_segments"], 100 * at["accuracy"]) for at in rule.curve)
        left.plot(*zip(*curve, strict=True), color=style["color"], lw=1, alpha=0.6)
        left.plot(rule.mean_segments, 100 * rule.accuracy, ls="", label=rule.name, **style)
    best = report.oracle
    left.plot(best["mean_segments"], 100 * best["accuracy"], "k*", ms=11, label="oracle (reads labels)")
    left.set(xscale="log", xlabel="mean segments", ylabel="exactly right, %", title=f"{report.test} held-out puzzles")
    left.legend(fontsize="x-small", loc="lower right")
    right.plot([0, 1], [0, 1], "k:", lw=1)
    for row in report.calibration["by_segment"]:
        points = row["reliability"]
        right.plot([p[0] for p in points], [p[1] for p in points], marker=".", label=f"segment {row['segment']}")
    title = f"{report.calibration['of']}: ECE {report.calibration['ece']:.3f}, Brier {report.calibration['brier']:.3f}"
    right.set(xlabel="its probability of being right", ylabel="share that is right", title=title)
    right.legend(fontsize="x-small", loc="upper left")
    figure.tight_layout()
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None})
    plt.close(figure)
    return stream.getvalue()
