"""Published findings about hierarchical reasoning, looked for in the shipped models: tables and figures.

    python benchmarks/findings/run.py shipped
    python benchmarks/findings/run.py gradient hrm-sudoku-6x6  # trains it
    python benchmarks/findings/run.py depth RUN RUN ...       # runs that differ in halting.max_segments

Each part writes CSV and SVG beside this file; docs/findings.md reads them. `depth` evaluates every run with 1, 2, 4 and
more segments for everyone; `gradient` measures the training gradient against the whole one on the way.
"""

import argparse
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from hrmlab.analysis.probes import PROBES
from hrmlab.api.diagnosing import examined
from hrmlab.core.model import HRM
from hrmlab.presets import preset
from hrmlab.reports.figures import CHARTS, svg
from hrmlab.reports.files import write_texts
from hrmlab.results import Measurement
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer

HERE = Path(__file__).parent
SHIPPED = {
    "hrm-sudoku-6x6": ("forward_residual", "participation_ratio", "fixed_point", "convergence_index", "settling"),
    "sudoku-6x6": ("forward_residual", "participation_ratio", "fixed_point"),
    "sudoku-9x9": ("forward_residual", "fixed_point"),
    "maze-9x9": ("forward_residual",),
}
PUZZLES, SEGMENTS = 100, 16
LOOKS = (0, 25, 50, 100, 200, 400, 800, 1600)
DEPTHS = (1, 2, 4, 8, 16, 32, 64)
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00")


def shipped(names: Sequence[str]) -> None:
    for name in names or SHIPPED:
        subject, _ = examined(name, (), PUZZLES, SEGMENTS, 0, "cpu", quiet=True)
        for kind in SHIPPED[name]:
            measurement = PROBES.get(kind).config().run(subject)
            print(name, kind, measurement.verdict, measurement.scalars)
            keep(f"{name}-{kind}", measurement)


def keep(stem: str, measurement: Measurement) -> None:
    """A measurement's table and its charts."""
    texts = {f"{stem}.csv": as_csv(measurement.table)}
    for number, drawing in enumerate(CHARTS.get(measurement.probe, [])):
        text = svg(drawing, measurement).replace("var(--ink)", "#1b1f24").replace("var(--paper)", "#ffffff")
        texts[f"{stem}{f'-{number}' if number else ''}.svg"] = text
    write_texts(HERE, texts)


def gradient(name: str) -> None:
    """Cosine of the training gradient with that through all rows, while a preset is being trained."""
    subject, _ = examined(name, (), 64, None, 0, "cpu", quiet=True)
    config = preset(name).make()
    config = replace(config, training=replace(config.training, steps=LOOKS[-1], seconds=None, engine="eager"))
    split = config.task.generate(config.data.train, 1, config.data.seed)
    torch.manual_seed(config.training.seed)
    trainer = Trainer(config, HRM(config.model, config.task.spec()), Feeder(split.train, config.training.seed))
    probe, rows = PROBES.get("gradient_bias").config(), []
    for step in LOOKS:
        while trainer.budget.step < step:
            trainer.budget.go()
            trainer.step()
            trainer.budget.pause()
        now = replace(subject, model=trainer.model)
        found = probe.run(now)
        exact = float(now.course.right[:, -1].float().mean())
        rows.append({"step": step, "exact": exact} | dict(found.scalars))
        print(rows[-1], flush=True)
        trainer.model.zero_grad()
    write_texts(HERE, {"gradient.csv": as_csv(rows), "gradient.svg": _gradient_figure(rows)})


def depth(runs: Sequence[Path]) -> None:
    """Accuracy after each of DEPTHS segments, of runs trained with different numbers of them."""
    rows = []
    for run in runs:
        subject, _ = examined(run, (), PUZZLES, max(DEPTHS), 0, "cpu", quiet=True)
        trained = subject.settings["halting"]["max_segments"]
        for segments in DEPTHS:
            exact = float(subject.course.right[:, segments - 1].float().mean())
            rows.append({"trained": trained, "evaluated": segments, "exact": exact, "n": len(subject.examples)})
    rows.sort(key=lambda row: (row["trained"], row["evaluated"]))
    write_texts(HERE, {"depth.csv": as_csv(rows), "depth.svg": _depth_figure(rows)})


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
    return stream.getvalue()


def _gradient_figure(rows: Sequence[dict[str, Any]]) -> str:
    figure, axes = _paper()
    steps = [row["step"] for row in rows]
    axes.plot(steps, [row["cosine"] for row in rows], color=COLOURS[0], marker=".", label="training against whole")
    axes.plot(steps, [row["ceiling"] for row in rows], color="0.5", ls="--", marker=".", label="two half batches")
    axes.plot(steps, [row["exact"] for row in rows], color=COLOURS[2], marker=".", label="exactly right")
    axes.axhline(0, color="0.2", lw=0.5)
    axes.set_xscale("symlog", linthresh=25)
    axes.set(xlabel="optimiser step", ylabel="cosine; share", ylim=(-0.1, 1.02))
    axes.legend(fontsize="small")
    return _text(figure, "gradient")


def _depth_figure(rows: Sequence[dict[str, Any]]) -> str:
    figure, axes = _paper()
    for colour, trained in zip(COLOURS, sorted({row["trained"] for row in rows}), strict=False):
        mine = [row for row in rows if row["trained"] == trained]
        x, y = [row["evaluated"] for row in mine], [100 * row["exact"] for row in mine]
        axes.plot(x, y, color=colour, marker=".", label=f"trained with {trained}")
    axes.set(xscale="log", xlabel="segments in evaluation", ylabel="exactly right, %", ylim=(0, 101))
    axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
    axes.legend(fontsize="small")
    return _text(figure, "depth")


def _paper() -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 3.4), layout="constrained")
    return figure, figure.subplots()


def _text(figure: Any, salt: str) -> str:
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("shipped", "gradient", "depth"))
    parser.add_argument("what", nargs="*", help="run folders; models (`shipped`) or a preset (`gradient`)")
    given = parser.parse_args()
    if given.part == "shipped":
        shipped(given.what)
    elif given.part == "gradient":
        gradient(given.what[0])
    else:
        depth([Path(run) for run in given.what])


if __name__ == "__main__":
    main()
