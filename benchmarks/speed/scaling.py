"""How a training step's time and memory grow with batch, length, width, depth and segments; fitted exponents.

    python benchmarks/speed/scaling.py --threads 2
    python benchmarks/speed/scaling.py --axes batch width --engine compiled --seconds 5 --quick

HRM's own parts (two networks, attention, Q-learning with its second forward pass), random tokens. Time is the median of
interleaved steps without the optimiser; memory is what the backward pass keeps, counted (`hrmlab.core.cost`). The axis
"segments" is answering with that many segments for everyone. Rows go to `scaling.csv` beside this file, the figure to
`scaling.svg`; those of a restless machine are marked.
"""

import argparse
import csv
from collections.abc import Callable
from pathlib import Path

import torch

from hrmlab.analysis.machine import disturbances, look
from hrmlab.analysis.timing import exponent, interleaved
from hrmlab.blocks import PostNorm, Size
from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch
from hrmlab.core.cost import costs
from hrmlab.core.eager import Eager
from hrmlab.core.engines import build
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.halting import Fixed, QLearning
from hrmlab.losses import StablemaxCrossEntropy
from hrmlab.spec import TaskSpec

HERE = Path(__file__).parent
BASE = {"batch": 8, "length": 81, "width": 128, "depth": 2, "segments": 1}
AXES = {
    "batch": (1, 2, 4, 8, 16, 32, 64),
    "length": (81, 162, 324, 576, 901),
    "width": (64, 128, 256, 512),
    "depth": (1, 2, 4, 8),
    "segments": (1, 2, 4, 8, 16),
}
QUICK = {"batch": (1, 2, 4), "length": (16, 32, 64), "width": (32, 64, 128), "depth": (1, 2, 4), "segments": (1, 2, 4)}
FIELDS = ("axis", "value", "engine", "threads", "step_ms", "mad_ms", "mflops", "activation_mb", "noisy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--axes", nargs="+", choices=AXES, default=list(AXES))
    parser.add_argument("--engine", default="eager")
    parser.add_argument("--seconds", type=float, default=20.0, help="for each axis")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--table", type=Path, default=HERE / "scaling.csv")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    rows = []
    for axis in given.axes:
        rows += measured(axis, (QUICK if given.quick else AXES)[axis], given.engine, given.seconds)
        save(given.table, rows)
    for line in fitted(rows):
        print(line)
    draw(given.table.with_suffix(".svg"), rows)


def measured(axis: str, values: tuple[int, ...], engine: str, seconds: float) -> list[dict[str, object]]:
    """One axis, the others at their base."""
    before, runs, counted = look(torch.device("cpu"), 0.5), {}, {}
    for value in values:
        runs[str(value)], counted[value] = work(BASE | {axis: value}, engine, learning=axis != "segments")
        runs[str(value)]()
    found = interleaved(runs, seconds)
    noisy = bool(disturbances(before, look(torch.device("cpu"), 0.5)))
    threads = torch.get_num_threads()
    return [
        {
            "axis": axis, "value": value, "engine": engine, "threads": threads,
            "step_ms": round(1e3 * found[str(value)].median, 3), "mad_ms": round(1e3 * found[str(value)].mad, 3),
            "mflops": counted[value][0] / 1e6, "activation_mb": counted[value][1] / 1e6, "noisy": noisy,
        }
        for value in values
    ]  # fmt: skip


def work(at: dict[str, int], engine: str, *, learning: bool) -> tuple[Callable[[], object], tuple[float, float]]:
    """What is timed, and its operations and bytes."""
    size = Size(width=at["width"], layers=at["depth"], heads=max(1, at["width"] // 64), round_to=8)
    config = ModelConfig(schedule=HRMSchedule(), block=PostNorm(), embedding=Tokens(), positions=Rotary(), size=size)
    spec = TaskSpec(seq_len=at["length"], vocab_size=11, num_identifiers=1)
    model = HRM(config, spec)
    rows = torch.randint(1, 11, (2, at["batch"], at["length"]))
    batch = Batch(rows[0], rows[1], torch.zeros(at["batch"], dtype=torch.long))
    carry = model.empty_carry(batch).refill(model.initial_states(), batch, torch.ones(at["batch"], dtype=torch.int32))
    computes: Eager = build(engine, model)
    cost, halting, loss = costs(config, spec), QLearning(), StablemaxCrossEntropy()

    def step() -> None:
        model.zero_grad()
        (objective(segment(computes, carry, halting), loss, halting).total / at["batch"]).backward()

    def answer() -> None:
        with torch.inference_mode():
            now = carry
            for _ in range(at["segments"]):
                now = segment(computes, now, Fixed(max_segments=at["segments"])).carry

    once = cost.segment(model.schedule)
    if not learning:
        return answer, (at["batch"] * at["segments"] * once, 0.0)
    return step, (at["batch"] * (cost.learning(model.schedule) + once), at["batch"] * cost.activations(model.schedule))


def fitted(rows: list[dict[str, object]]) -> list[str]:
    """A line an axis: the powers by which time, operations and memory grow."""
    lines = []
    for axis in dict.fromkeys(row["axis"] for row in rows):
        mine = [row for row in rows if row["axis"] == axis]
        sizes = [float(row["value"]) for row in mine]
        powers = {
            name: exponent(sizes, [float(row[key]) for row in mine])
            for name, key in (("time", "step_ms"), ("operations", "mflops"), ("memory", "activation_mb"))
            if all(float(row[key]) > 0 for row in mine)
        }
        noise = "  (the machine was restless)" if any(row["noisy"] for row in mine) else ""
        lines.append(f"{axis}: " + ", ".join(f"{name} ~ {axis}^{power:.2f}" for name, power in powers.items()) + noise)
    return lines


def save(table: Path, rows: list[dict[str, object]]) -> None:
    temporary = table.with_suffix(".tmp")
    with temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    temporary.replace(table)


def draw(path: Path, rows: list[dict[str, object]]) -> None:
    """Time and memory by axis, on logarithmic axes; nothing where matplotlib is not installed."""
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "scaling"
    import matplotlib.pyplot as plt

    axes = list(dict.fromkeys(row["axis"] for row in rows))
    figure, panels = plt.subplots(1, len(axes), figsize=(3.2 * len(axes), 3.2), squeeze=False)
    for panel, axis, line in zip(panels[0], axes, fitted(rows), strict=True):
        mine = [row for row in rows if row["axis"] == axis]
        x = [row["value"] for row in mine]
        panel.plot(x, [row["step_ms"] for row in mine], "o-", label="ms")
        if any(row["activation_mb"] for row in mine):
            panel.plot(x, [row["activation_mb"] for row in mine], "s--", label="MB kept")
        panel.set(xscale="log", yscale="log", xlabel=axis)
        panel.set_title(line.partition(": ")[2].split("  ")[0].replace(", ", "\n"), fontsize=7)
        panel.legend(fontsize="x-small")
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
