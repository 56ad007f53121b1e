"""Hours of training that is killed and goes on, beside a server that answers all the while: nothing grows.

`HRM_SOAK=7200 pytest tests/soak/test_long.py -o timeout=0` takes so many seconds and leaves soak.csv and soak.svg in
HRM_SOAK_OUT (default: pytest's own folder).
"""

import csv
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest

from hrmlab.presets import preset

SECONDS = float(os.environ.get("HRM_SOAK", "0"))
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
TRAIN = ("hrm-sudoku-4x4", "model.size.width=16", "training.checkpoint_every=25", "evaluation.max_segments=8")
LIFE = (4.0, 40.0)
"""Seconds after which the run is killed, at the least and at the most."""
Row = dict[str, float]


@contextmanager
def served() -> Iterator[tuple[str, psutil.Process]]:
    command = ["-m", "hrmlab", "serve", "sudoku-6x6", "--port", "0", "--threads", "1", "--device", "cpu"]
    with subprocess.Popen([sys.executable, *command], stderr=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stderr is not None
        found = re.match(r"(http://\S+) answers", process.stderr.readline())
        assert found is not None
        try:
            yield found[1], psutil.Process(process.pid)
        finally:
            process.terminate()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def ask(url: str, ended: threading.Event, counts: dict[str, int]) -> None:
    """Requests of every kind, one after another."""
    task = preset("sudoku-6x6").make().task
    puzzles = [task.format(tokens) for tokens in task.generate(1, 500, seed=1).test.inputs]
    choose = random.Random(0)
    with httpx.Client(base_url=url, timeout=90) as client:
        while not ended.is_set():
            body: dict[str, Any] = {"puzzles": choose.sample(puzzles, choose.randint(1, 40))}
            body |= choose.choice(({}, {"stream": True}, {"timeout": 0.05}, {"puzzles": ["?"]}, {"puzzle": "1"}))
            status = client.post("/solve", json=body).status_code
            counts[str(status)] = counts.get(str(status), 0) + 1


def measured(server: psutil.Process, folder: Path, start: float) -> Row:
    (solver,) = server.children()
    row: Row = {"seconds": time.monotonic() - start}
    for name, process in (("front", server), ("solver", solver)):
        row |= {f"{name} MiB": process.memory_info().rss / 2**20, f"{name} files": process.num_fds()}
    sizes = []
    for at, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # the run renames and deletes meanwhile
                sizes.append((Path(at) / name).stat().st_size)
    return row | {"run MiB": sum(sizes) / 2**20, "run files": len(sizes)}


@pytest.mark.skipif(not SECONDS, reason="takes hours: HRM_SOAK=7200 pytest tests/soak/test_long.py -o timeout=0")
def test_nothing_grows(tmp_path: Path) -> None:
    out = Path(os.environ.get("HRM_SOAK_OUT", tmp_path))
    folder, rows, counts = tmp_path / "runs", list[Row](), dict[str, int]()
    kills = finished = 0
    chance, ended, start = random.Random(0), threading.Event(), time.monotonic()
    with served() as (url, server):
        asking = threading.Thread(target=ask, args=(url, ended, counts))
        asking.start()
        try:
            while time.monotonic() - start < SECONDS:
                run = folder / str(finished % 3)  # of three runs each is done before the next one begins
                begun = any(run.glob("checkpoints/0*"))
                if not begun:  # killed before there was anything to go on from
                    shutil.rmtree(run, ignore_errors=True)
                words = ["--resume", run] if begun else [*TRAIN, "--steps", 600, "--out", run]
                process = training(words)
                until = time.monotonic() + chance.uniform(*LIFE)
                while process.poll() is None and time.monotonic() < until:
                    time.sleep(1)
                    rows.append(measured(server, folder, start))
                if process.poll() is None:
                    process.kill()
                    kills += 1
                else:
                    assert process.returncode == 0, process.communicate()[1].decode()
                if (run / "results.json").exists():  # it may have been killed after its last line
                    assert json.loads((run / "results.json").read_text())["n"]
                    finished += 1
                    shutil.rmtree(folder / str(finished % 3), ignore_errors=True)
                process.communicate()
        finally:
            ended.set()
            asking.join(120)
    write(out, rows)
    print(f"{kills} kills, {finished} runs finished, requests by status: {counts}")
    assert kills and finished and set(counts) <= {"200", "422", "429", "504"} and counts["200"]
    for name, most in (("front MiB", 10), ("solver MiB", 80), ("front files", 3), ("solver files", 3), ("run MiB", 5)):
        assert growth(rows, name) < most, f"{name} grew by {growth(rows, name):.1f}"


def training(words: list[Any]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "hrmlab", "train", *map(str, words), "--quiet", "--device", "cpu"]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def growth(rows: list[Row], name: str) -> float:
    """Of the median of the last quarter over that of the second: the first is the beginning."""
    values, quarter = [row[name] for row in rows], len(rows) // 4
    return float(np.median(values[-quarter:]) - np.median(values[quarter : 2 * quarter]))


def write(out: Path, rows: list[Row]) -> None:
    from matplotlib.figure import Figure

    with (out / "soak.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows({name: round(value, 2) for name, value in row.items()} for row in rows)
    figure = Figure(figsize=(8, 3), layout="constrained")
    minutes = [row["seconds"] / 60 for row in rows]
    for axes, unit in zip(figure.subplots(1, 2), ("MiB", "files"), strict=True):
        for name in ("front", "solver", "run"):
            axes.plot(minutes, [row[f"{name} {unit}"] for row in rows], label=name)
        axes.set(xlabel="minutes", ylabel=unit, ylim=(0, None))
        axes.legend(frameon=False)
    figure.savefig(out / "soak.svg")
