"""What a large puzzle table costs: memory, and the time of a step that touches a batch of its rows.

    python benchmarks/puzzle_table.py --out benchmarks/results

Rows are looked up, updated by SignSGD and followed by the average of the weights, as a training step does beside the
network, for tables of 1,000 to 16,000,000 rows, in memory where they fit and mapped from a file. Medians in
milliseconds; memory of the process in megabytes. A mapped table's file takes disk for the rows that were written.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import median

import psutil
import torch

from hrmlab.embeddings.puzzle import PuzzleConfig, PuzzleTable
from hrmlab.kernels.sparse_sign import sign_sgd
from hrmlab.training.ema import EMA

WIDTH, BATCH, STEPS = 512, 768, 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000, 16_000_000])
    parser.add_argument("--out", type=Path, help="a folder for puzzle_table.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = ("in memory", "in memory, averaged", "mapped")
    memory = psutil.virtual_memory().total
    sizes = [(rows, kind) for rows in options.rows for kind in kinds]
    found = [measured(*size) for size in sizes if size[1] == "mapped" or 4 * WIDTH * size[0] < memory / 3]
    print("| rows | table | step, ms | memory, MB |\n|---|---|---|---|")
    for one in found:
        print(f"| {one['rows']:,} | {one['table']} | {one['step_ms']:.2f} | {one['memory_mb']:.0f} |")
    if options.out:
        about = {
            "width": WIDTH,
            "batch": BATCH,
            "torch": torch.__version__,
            "threads": 1,
            "memory_of_machine_mb": memory / 1e6,
            "tables": found,
        }
        (options.out / "puzzle_table.json").write_text(json.dumps(about, indent=1) + "\n")


def measured(rows: int, kind: str) -> dict[str, float | str]:
    """A step beside a table of so many rows; memory is what the table and its average add to the process."""
    before = psutil.Process().memory_info().rss
    table = PuzzleTable(rows, PuzzleConfig(width=WIDTH, mapped=kind == "mapped"))
    if kind != "mapped":
        table.rows.fill_(0.01)  # touch the pages
    average = EMA(table, 0.999, buffers=kind == "in memory, averaged")
    generator = torch.Generator().manual_seed(0)
    times = []
    for _ in range(STEPS):
        ids = torch.randint(0, rows, (BATCH,), generator=generator)
        start = time.perf_counter()
        found = table(ids)
        (found.square().sum()).backward()
        sign_sgd(table.rows, ids, found.grad, 1e-2, 0.1)
        average.update(table)
        times.append(time.perf_counter() - start)
    held = psutil.Process().memory_info().rss - before
    return {"rows": rows, "table": kind, "step_ms": 1e3 * median(times), "memory_mb": held / 1e6}


if __name__ == "__main__":
    main()
