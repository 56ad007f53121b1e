"""Runs that are killed at random moments, again and again, end with the very same weights and metrics.

`HRM_KILLS=10 pytest tests/soak` kills each of the three runs ten times.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hrmlab.core.weights import read_weights
from hrmlab.training.checkpoint import checkpoints

KILLS = int(os.environ.get("HRM_KILLS", "0"))
STEPS = 150
LONGEST = 12.0
"""Seconds after its start at which a run is killed at the latest: importing takes the first two or three."""
OPTIONS = (
    "data.train=64", "data.test=16", "model.size.width=8", "training.batch_size=8", "training.checkpoint_every=10",
    "halting.max_segments=3", "evaluation.max_segments=3", "training.engine=eager",
)  # fmt: skip
PRESETS = {
    "hrm-sudoku-4x4": ["data.augment=true"],
    "sudoku-4x4": [],
    "maze-9x9": ["training.batch_size=4"],
}


def start(*words: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "hrmlab", "train", *map(str, words), "--quiet", "--device", "cpu"]
    return subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE)


def ended(process: "subprocess.Popen[bytes]") -> None:
    said = process.communicate(timeout=300)[1]
    assert process.returncode == 0, said.decode()


def outcome(run: Path) -> dict[str, Any]:
    """All that a run is judged by; times are left out."""
    weights = read_weights(checkpoints(run / "checkpoints")[-1] / "weights.safetensors")
    results = json.loads((run / "results.json").read_text())
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == sorted({line["step"] for line in lines})
    numbers = {name: value for name, value in results.items() if name in ("exact", "cell", "mean_segments", "n")}
    return {"weights": {name: tensor.tolist() for name, tensor in weights.items()}, "results": numbers}


@pytest.mark.skipif(not KILLS, reason="takes minutes: HRM_KILLS=10 pytest tests/soak")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_run_killed_at_random_ends_as_one_that_was_not(tmp_path: Path, preset: str) -> None:
    whole, run = tmp_path / "whole", tmp_path / "killed"
    fresh = (preset, *OPTIONS, *PRESETS[preset], "--steps", STEPS, "--out")
    ended(start(*fresh, whole))
    wanted, chance, kills = outcome(whole), random.Random(preset), 0
    while not (run / "results.json").exists() or kills < KILLS:
        if (run / "results.json").exists() or not checkpoints(run / "checkpoints"):
            shutil.rmtree(run, ignore_errors=True)
        process = start("--resume", run) if run.exists() else start(*fresh, run)
        try:
            if kills == KILLS:
                ended(process)
            else:
                process.wait(chance.uniform(1.0, LONGEST))
                assert process.returncode == 0, process.stderr and process.stderr.read().decode()
                assert outcome(run) == wanted
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
            kills += 1
    assert outcome(run) == wanted
