"""Learning curves: train presets over seeds, keep exact accuracy against seconds as CSV, draw them.

    python benchmarks/learning/run.py sudoku-6x6 sudoku-9x9 --seeds 3
    python benchmarks/learning/run.py sudoku-6x6 --label two-networks -- model.schedule=hrm

One run at a time, on as many threads as torch takes by itself; the machine should be doing nothing else. Rows go to
`curves.csv` beside this file (those of the same preset, label and seed are replaced), the figure to `curves.svg`.
"""

import argparse
import csv
import json
import os
import tempfile
from pathlib import Path

from hrmlab import api

HERE = Path(__file__).parent
FIELDS = ("preset", "label", "seed", "seconds", "step", "exact", "puzzles", "segments", "threads")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*")
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0 to N-1")
    parser.add_argument("--seconds", type=float, help="training budget, in place of the preset's")
    parser.add_argument("--label", default="preset", help="name of a variant, given by the overrides after --")
    parser.add_argument("overrides", nargs="*", default=[])
    arguments = parser.parse_args()
    presets = [name for name in arguments.presets if "=" not in name]
    overrides = [name for name in (*arguments.presets, *arguments.overrides) if "=" in name]
    for name in presets:
        for seed in range(arguments.seeds):
            keep(name, arguments.label, seed, curve(name, seed, arguments.seconds, overrides))
    draw()


def curve(name: str, seed: int, seconds: float | None, overrides: list[str]) -> list[dict[str, object]]:
    """One run's evaluations; the last is on all held-out puzzles."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        result = api.train(name, overrides, out=run, seconds=seconds, seed=seed)
        records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        results = json.loads((run / "results.json").read_text())
    points = [
        {
            "seconds": round(record["seconds"], 1),
            "step": record["step"],
            "exact": record["evaluation"]["exact"],
            "puzzles": record["evaluation"]["n"],
        }
        for record in records
        if "evaluation" in record
    ]
    last = {"seconds": round(result.seconds, 1), "step": result.steps, "exact": result.exact, "puzzles": results["n"]}
    return [*points, last]


def keep(name: str, label: str, seed: int, points: list[dict[str, object]]) -> None:
    """Put a run's points into the table in the place of an earlier run of the same name."""
    table = HERE / "curves.csv"
    rows = list(csv.DictReader(table.open())) if table.exists() else []
    key = {"preset": name, "label": label, "seed": str(seed)}
    rows = [row for row in rows if any(row[field] != value for field, value in key.items())]
    rows += [key | {"threads": os.environ.get("OMP_NUM_THREADS", "default")} | point for point in points]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, restval="")
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: (row["preset"], row["label"], str(row["seed"]))))


def draw() -> None:
    """One panel a preset, one line a run."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    rows = list(csv.DictReader((HERE / "curves.csv").open()))
    presets = sorted({row["preset"] for row in rows})
    figure, panels = plt.subplots(1, len(presets), figsize=(4 * len(presets), 3.2), squeeze=False, sharey=True)
    for panel, name in zip(panels[0], presets, strict=True):
        labels = sorted({row["label"] for row in rows if row["preset"] == name})
        for colour, label in enumerate(labels):
            seeds = sorted({row["seed"] for row in rows if row["preset"] == name and row["label"] == label})
            for order, seed in enumerate(seeds):
                run = [r for r in rows if (r["preset"], r["label"], r["seed"]) == (name, label, seed)]
                seconds, exact = [float(r["seconds"]) for r in run], [100 * float(r["exact"]) for r in run]
                panel.plot(seconds, exact, f"C{colour}", marker=".", label=label if order == 0 else None)
        panel.set(title=name, xlabel="seconds of training, 2 cores", ylim=(0, 101))
        panel.legend(loc="lower right", fontsize="small")
    panels[0][0].set_ylabel("held-out puzzles exactly right, %")
    figure.tight_layout()
    figure.savefig(HERE / "curves.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
