"""Learning curves: train presets over seeds, keep exact accuracy against seconds as CSV, draw them.

    python benchmarks/learning/run.py sudoku-6x6 sudoku-9x9 --seeds 3 training.evaluate_every=60
    python benchmarks/learning/run.py sudoku-6x6 --label trm --table parts model.schedule=trm

The machine should be doing nothing else; two runs at once need a core and `--threads 1` each. Rows go to `TABLE.csv`
beside this file (those of the same preset, label and seed are replaced), the figure to `TABLE.svg`.
"""

import argparse
import csv
import json
import tempfile
from pathlib import Path

from hrmlab import api

HERE = Path(__file__).parent
FIELDS = ("preset", "label", "seed", "seconds", "step", "exact", "puzzles", "threads")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("words", nargs="+", help="presets, and dotted.key=value overrides")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0 to N-1")
    parser.add_argument("--seconds", type=float, help="training budget, in place of the preset's")
    parser.add_argument("--label", default="preset", help="name of the variant that the overrides make")
    parser.add_argument("--table", default="curves", help="name of the table and figure")
    parser.add_argument("--threads", type=int, help="CPU threads, default torch's choice")
    parser.add_argument(
        "--run", type=Path, help="read this run folder instead of training; one preset to file it under, its own seed"
    )
    arguments = parser.parse_intermixed_args()
    overrides = [word for word in arguments.words if "=" in word]
    table = HERE / f"{arguments.table}.csv"
    for name in arguments.words:
        if name in overrides:
            continue
        key = {"preset": name, "label": arguments.label}
        if arguments.run:
            config = json.loads((arguments.run / "config.json").read_text())
            keep(table, key | {"seed": str(config["training"]["seed"])}, points(arguments.run))
            continue
        for seed in range(arguments.seeds):
            found = curve(name, seed, arguments.seconds, overrides, arguments.threads)
            keep(table, key | {"seed": str(seed)}, found)
    draw(table)


def curve(
    name: str, seed: int, seconds: float | None, overrides: list[str], threads: int | None
) -> list[dict[str, object]]:
    """Train, and give the run's points."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        api.train(name, overrides, out=run, seconds=seconds, seed=seed, threads=threads)
        return points(run)


def points(run: Path) -> list[dict[str, object]]:
    """A run's evaluations on the way, and the last one, on all held-out puzzles."""
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    results = json.loads((run / "results.json").read_text())
    threads = json.loads((run / "provenance.json").read_text())["machine"]["threads"]
    evaluations = [(record, record["evaluation"]) for record in records if "evaluation" in record]
    return [
        {
            "seconds": round(record["seconds"], 1),
            "step": record["step"],
            "exact": found["exact"],
            "puzzles": found["n"],
            "threads": threads,
        }
        for record, found in [*evaluations, (records[-1], results)]
    ]


def keep(table: Path, key: dict[str, str], points: list[dict[str, object]]) -> None:
    """Put a run's points into the table in the place of an earlier run of the same name."""
    rows: list[dict[str, object]] = list(csv.DictReader(table.open())) if table.exists() else []
    rows = [row for row in rows if any(row[field] != value for field, value in key.items())]
    rows += [key | point for point in points]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS)
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["preset"], row["label"], row["seed"])))


def draw(table: Path) -> None:
    """One panel a preset, one line a run, one colour a variant."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = table.stem  # the same picture from the same table
    import matplotlib.pyplot as plt

    rows = list(csv.DictReader(table.open()))
    presets = sorted({row["preset"] for row in rows})
    figure, panels = plt.subplots(1, len(presets), figsize=(4.5 * len(presets), 3.4), squeeze=False, sharey=True)
    for panel, name in zip(panels[0], presets, strict=True):
        labels = sorted({row["label"] for row in rows if row["preset"] == name})
        for colour, label in enumerate(labels):
            seeds = sorted({row["seed"] for row in rows if row["preset"] == name and row["label"] == label})
            for order, seed in enumerate(seeds):
                run = [r for r in rows if (r["preset"], r["label"], r["seed"]) == (name, label, seed)]
                seconds, exact = [float(r["seconds"]) for r in run], [100 * float(r["exact"]) for r in run]
                panel.plot(seconds, exact, f"C{colour}", marker=".", label=label if order == 0 else None)
        panel.set(title=name, xlabel="seconds of training", ylim=(0, 101))
        panel.legend(loc="lower right", fontsize="small")
    panels[0][0].set_ylabel("held-out puzzles exactly right, %")
    figure.tight_layout()
    figure.savefig(table.with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
