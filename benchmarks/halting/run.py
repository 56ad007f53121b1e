"""Every halting rule on the shipped weights: accuracy against segments, and how much of it the solver turns into time.

    python benchmarks/halting/run.py                                 # all of it, about ten minutes of one core
    python benchmarks/halting/run.py --only maze-9x9
    python benchmarks/halting/run.py --only throughput --puzzles 400

Each model's table, curves, figure and JSON go to a folder of its name beside this file, throughput to `throughput.csv`.
Thresholds are picked on the first half of the puzzles and reported on the other. One thread.
"""

import argparse
import csv
import os
import time
from pathlib import Path

from hrmlab import api

HERE = Path(__file__).resolve().parent
MODELS = {"sudoku-6x6": (1000, 16), "hrm-sudoku-6x6": (500, 16), "maze-9x9": (200, 64)}
"""Held-out puzzles and the depth of the recording."""
TIMED = {"sudoku-6x6": ("correctness,threshold=0.9,max_segments=16", "verifier,max_segments=16")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=(*MODELS, "throughput"), help="repeatable; default all")
    parser.add_argument("--puzzles", type=int, default=1000, help="that throughput is measured on")
    parser.add_argument("--repeats", type=int, default=3, help="of each timing; the medians count")
    arguments = parser.parse_args()
    os.chdir(HERE.parent.parent)  # the reports name their files from here
    wanted = arguments.only or [*MODELS, "throughput"]
    for name, (n, segments) in MODELS.items():
        if name in wanted:
            api.halting(name, n=n, segments=segments, threads=1, device="cpu", out=f"benchmarks/halting/{name}")
    if "throughput" in wanted:
        rows = [row for name, rules in TIMED.items() for row in timed(name, rules, arguments)]
        with (HERE / "throughput.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def timed(name: str, rules: tuple[str, ...], arguments: argparse.Namespace) -> list[dict[str, object]]:
    """Seconds of processor time of the same engine, with everyone to the end and with slots refilled, interleaved."""
    import numpy as np
    import torch

    from hrmlab.api.puzzles import first, held_out
    from hrmlab.api.rules import halting_rule
    from hrmlab.api.targets import find_run
    from hrmlab.halting import Fixed
    from hrmlab.inference.solver import answer

    torch.set_num_threads(1)
    found = find_run(name)
    model, task = found.load(torch.device("cpu")), found.config.task
    examples = first(held_out(found.config, quiet=True)[0], arguments.puzzles)
    policies = {"fixed,max_segments=16": Fixed(max_segments=16)} | {
        text: halting_rule(text, found.config.evaluation) for text in rules
    }
    answer(model, first(examples, 128), Fixed(max_segments=2))  # warm
    seconds: dict[str, list[float]] = {text: [] for text in policies}
    came: dict[str, tuple[float, float]] = {}
    for _ in range(arguments.repeats):
        for text, policy in policies.items():
            start = time.process_time()
            answers = answer(model, examples, policy, check=task.valid)
            seconds[text].append(time.process_time() - start)
            came[text] = float((answers.tokens == examples.labels).all(1).mean()), float(answers.segments.mean())
    whole = float(np.median(seconds["fixed,max_segments=16"]))
    rows = []
    for text, (exact, mean) in came.items():
        spent = float(np.median(seconds[text]))
        speed, ideal = whole / spent, 16 / mean
        rows.append(
            {
                "model": name,
                "halting": text,
                "puzzles": len(examples),
                "exact": round(exact, 4),
                "mean_segments": round(mean, 3),
                "cpu_seconds": round(spent, 2),
                "speedup": round(speed, 2),
                "ideal": round(ideal, 2),
                "share_of_ideal": round(speed / ideal, 3),
                "slots": 128,
                "threads": 1,
                "repeats": arguments.repeats,
            }
        )
    return rows


if __name__ == "__main__":
    main()
