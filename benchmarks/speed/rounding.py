"""What a training step gains over the reference when its feed-forward width is not rounded up to 256 either.

    python benchmarks/speed/rounding.py --threads 2
    python benchmarks/speed/rounding.py --widths 16 --layers 1 --batch 4 --engine eager --seconds 1

The reference rounds the hidden width of its feed-forward layers up to a multiple of 256, which a small model feels: at
width 64 it computes 256 where two thirds of 4 x 64 are 171. THE MODELS COMPARED HERE ARE NOT THE SAME: rounding to 8
leaves fewer weights, and nothing is said about accuracy. What the engine alone gains on the same model is the row with
the reference's rounding; `hrm bench` measures that for any model.

HRM's own parts on boards of 81 cells, random tokens, whole steps with the optimiser, interleaved, medians. Targets of
Q(continue): "exact" is a second forward pass, as in the reference; "one forward" takes them from the trajectory. Rows
go to `rounding.csv` beside this file; those of a restless machine are marked.
"""

import argparse
import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from hrmlab.analysis.machine import disturbances, look
from hrmlab.analysis.timing import interleaved
from hrmlab.api import steps
from hrmlab.layers import feed_forward_width
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig

PRESET = "hrm-sudoku-extreme"
REFERENCE, OURS = 256, 8
EXACT, ONE_FORWARD = "exact", "one forward"
FIELDS = ("width", "engine", "round_to", "hidden", "target", "step_ms", "mad_ms", "times_reference", "threads", "noisy")
Row = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--engine", default="compiled", help="measured against the reference")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each width")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--table", type=Path, default=Path(__file__).with_suffix(".csv"))
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    print("models with another hidden width are other models: their times say nothing about accuracy")
    rows: list[Row] = []
    for width in given.widths:
        rows += measured(configured(width, given.layers, given.batch), given.engine, given.seconds)
        save(given.table, rows)
    for row in rows:
        print("  ".join(f"{name} {row[name]}" for name in FIELDS))


def configured(width: int, layers: int, batch: int) -> RunConfig:
    """The reference's configuration at a width, with heads of 64 as it has them."""
    config = preset(PRESET).make()
    size = replace(config.model.size, width=width, layers=layers, heads=max(1, width // 64), round_to=REFERENCE)
    training = replace(config.training, batch_size=batch)
    return replace(config, model=replace(config.model, size=size), training=training)


def measured(plain: RunConfig, engine: str, seconds: float) -> list[Row]:
    """All rows of a configuration, timed beside each other."""
    size = plain.model.size
    runs: dict[str, Callable[[], object]] = {}
    about: dict[str, Row] = {}
    for name, round_to, target in (
        ("reference", REFERENCE, EXACT),
        (engine, REFERENCE, EXACT),
        (engine, OURS, EXACT),
        (engine, OURS, ONE_FORWARD),
    ):
        config = replace(plain, model=replace(plain.model, size=replace(size, round_to=round_to)))
        hidden = feed_forward_width(size.width, size.expansion, round_to)
        if target == ONE_FORWARD:
            other = steps.one_forward(config)
            assert other is not None, f"{PRESET} looks ahead"
            config = other
        key = f"{name} {round_to} {target}"
        about[key] = {"width": size.width, "engine": name, "round_to": round_to, "hidden": hidden, "target": target}
        runs[key] = steps.step_by(steps.trainer(config, torch.device("cpu")), name)
        runs[key]()
        runs[key]()  # layouts of gradients settle at the second call
    before = look(torch.device("cpu"), 0.5)
    found = interleaved(runs, seconds)
    noisy = bool(disturbances(before, look(torch.device("cpu"), 0.5)))
    base = found[f"reference {REFERENCE} {EXACT}"].median
    return [
        about[key]
        | {
            "step_ms": round(1e3 * timing.median, 2), "mad_ms": round(1e3 * timing.mad, 2),
            "times_reference": round(base / timing.median, 2), "threads": torch.get_num_threads(), "noisy": noisy,
        }
        for key, timing in found.items()
    ]  # fmt: skip


def save(table: Path, rows: list[Row]) -> None:
    temporary = table.with_suffix(".tmp")
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(table)


if __name__ == "__main__":
    main()
