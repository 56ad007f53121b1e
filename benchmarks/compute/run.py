"""Accuracy against compute on the shipped 6x6 model: deeper, from other states, under symmetries, and what is chosen.

    python benchmarks/compute/run.py                       # about four minutes of one core
    python benchmarks/compute/run.py --model sudoku-9x9 --puzzles 200 --table nine

Every attempt is run once, to its own halt; choices among the first K of them are made afterwards, on the same answers.
Rows go to `TABLE.csv` beside this file, the figure to `TABLE.svg`. Segments are those of all attempts together. Rows
whose choice is "any right" are an oracle's: they read the labels, and are no accuracy of a method.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
import torch

from hrmlab.api.puzzles import first, held_out
from hrmlab.api.rules import halting_rule
from hrmlab.api.targets import find_run
from hrmlab.inference.attempts import SELECT, Attempted, Ensemble
from hrmlab.inference.puzzles import Answer
from hrmlab.inference.solver import Puzzle, answer
from hrmlab.intervals import wilson
from hrmlab.tasks.base import Examples

HERE = Path(__file__).resolve().parent
ATTEMPTS = {"start": 8, "noise": 8, "symmetry": 4}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="sudoku-6x6")
    parser.add_argument("--puzzles", type=int, default=600)
    parser.add_argument("--halting", default="correctness,threshold=0.9,max_segments=16")
    parser.add_argument("--deepest", type=int, default=128, help="segments that a puzzle may go on for in a single try")
    parser.add_argument("--table", default="sudoku-6x6")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = find_run(arguments.model)
    model, task = found.load(torch.device("cpu")), found.config.task
    examples = first(held_out(found.config, quiet=True)[0], arguments.puzzles)
    rule = halting_rule(arguments.halting, found.config.evaluation)
    rows = deeper(model, examples, halting_rule(f"{arguments.halting},max_segments={arguments.deepest}", rule))
    for vary, most in ATTEMPTS.items():
        print(f"{vary}: {most} attempts at {len(examples)} puzzles", flush=True)
        ensemble = Ensemble([model], task, rule, attempts=most, vary=vary)
        puzzles = (Puzzle(*each) for each in zip(examples.inputs, examples.labels, strict=True))
        tries = [attempted.tries for attempted in ensemble.solve(puzzles)]
        rows += chosen(model, task, rule, vary, tries, examples)
    write(HERE / f"{arguments.table}.csv", rows, arguments)
    draw(HERE / f"{arguments.table}.csv")


def deeper(model, examples: Examples, rule) -> list[dict[str, object]]:
    """One try with a rising limit of segments: what has halted costs no more."""
    came = answer(model, examples, rule)
    depths = [depth for depth in range(1, rule.max_segments + 1) if depth < 9 or depth & (depth - 1) == 0]
    shares = [(depth, came.right_by_segment[depth - 1], np.minimum(came.segments, depth).mean()) for depth in depths]
    return [row("limit", depth, "own halt", "label-free", share, mean, len(examples)) for depth, share, mean in shares]


def chosen(
    model, task, rule, vary: str, tries: list[tuple[Answer, ...]], examples: Examples
) -> list[dict[str, object]]:
    """Every way to choose among the first 1, 2, 4, ... attempts, and whether any of them was right."""
    count, rows = len(examples), []
    for attempts in (2**power for power in range(8) if 2**power <= len(tries[0])):
        some = [each[:attempts] for each in tries]
        for select in SELECT:
            ensemble = Ensemble([model], task, rule, attempts=attempts, vary=vary, select=select)
            picked = [ensemble.choose(raced(each) if select == "first" else each) for each in some]
            exact = np.mean([is_right(one.chosen, labels) for one, labels in zip(picked, examples.labels, strict=True)])
            rows.append(row(vary, attempts, select, "label-free", float(exact), segments(picked), count))
        any_right = np.mean(
            [any(is_right(one, labels) for one in each) for each, labels in zip(some, examples.labels, strict=True)]
        )
        rows.append(row(vary, attempts, "any right", "oracle", float(any_right), segments(picked), count))
    return rows


def raced(tries: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """Attempts as they would be cut off side by side when the first of them halts (see `Puzzle.group`)."""
    from dataclasses import replace

    won = min((one.segments for one in tries if one.halted), default=None)
    return tuple(
        one if won is None or one.segments <= won else replace(one, segments=won, halted=False) for one in tries
    )


def is_right(found: Answer, labels: np.ndarray) -> bool:
    return bool((found.tokens == labels).all())


def segments(picked: list[Attempted]) -> float:
    return float(np.mean([one.segments for one in picked]))


def row(
    vary: str, amount: int, choice: str, reads: str, exact: float, mean_segments: float, n: int
) -> dict[str, object]:
    low, high = wilson(round(exact * n), n)
    return {
        "vary": vary,
        "amount": amount,
        "choice": choice,
        "reads": reads,
        "exact": round(exact, 5),
        "low": round(low, 5),
        "high": round(high, 5),
        "mean_segments": round(float(mean_segments), 3),
        "puzzles": n,
    }


def write(table: Path, rows: list[dict[str, object]], arguments: argparse.Namespace) -> None:
    same = {"model": arguments.model, "halting": arguments.halting, "device": "cpu", "dtype": "float32"}
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], *same], lineterminator="\n")
        writer.writeheader()
        writer.writerows(each | same for each in rows)


def draw(table: Path) -> None:
    """Label-free choices as lines, the oracle's dashed."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = table.stem  # the same picture from the same table
    import matplotlib.pyplot as plt

    rows = list(csv.DictReader(table.open()))
    kinds = [vary for vary in ("start", "noise", "symmetry") if any(row["vary"] == vary for row in rows)]
    figure, panels = plt.subplots(1, 1 + len(kinds), figsize=(4 * (1 + len(kinds)), 3.6), squeeze=False)
    one = [row for row in rows if row["vary"] == "limit"]
    points = [(float(r["mean_segments"]), 100 * float(r["exact"])) for r in one]
    panels[0][0].plot(*zip(*points, strict=True), "k.-", label="one try, rising limit")
    panels[0][0].set(title="deeper", ylabel="exactly right, %")
    floor = min(100 * float(r["exact"]) for r in rows if r["vary"] != "limit")
    for panel, vary in zip(panels[0][1:], kinds, strict=True):
        for colour, choice in enumerate((*SELECT, "any right")):
            mine = [r for r in rows if (r["vary"], r["choice"]) == (vary, choice)]
            points = [(float(r["mean_segments"]), 100 * float(r["exact"])) for r in mine]
            oracle = choice == "any right"
            style = {"color": "k", "ls": "--", "marker": "*"} if oracle else {"color": f"C{colour}", "marker": "."}
            panel.plot(*zip(*points, strict=True), label="oracle: any right" if oracle else choice, **style)
        panel.set(title=f"1 to {mine[-1]['amount']} tries: {vary}", ylim=(floor - 0.3, 100.1))
    for panel in panels[0]:
        panel.set_xlabel("segments of all tries, mean")
        panel.legend(loc="lower right", fontsize="small")
    figure.suptitle(f"{rows[0]['model']}, {rows[0]['puzzles']} held-out puzzles; oracle reads the labels", fontsize=10)
    figure.tight_layout()
    figure.savefig(table.with_suffix(".svg"), metadata={"Date": None})


if __name__ == "__main__":
    main()
