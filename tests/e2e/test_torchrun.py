"""`torchrun ... -m hrmlab train`: one run by several processes, of which one may die."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch

from hrmlab import api
from hrmlab.training.folder import RunFolder

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="wants a torch with torch.distributed")
SMALL = ("hrm-sudoku-4x4", "data.train=64", "data.test=33", "model.size.width=16", "training.batch_size=15",
         "training.warmup_steps=2", "training.optimiser.lr=0.001", "evaluation.max_segments=4",
         "training.checkpoint_every=5", "training.decay=constant", "model.block=post_norm", "model.positions=rotary",
         "model.embedding=tokens", "model.puzzle.width=8", "training.shard_puzzles=true")  # fmt: skip
"""The puzzle table has one row, so that all processes but the first have none of it."""
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
WEIGHTS = pytest.mark.parametrize("how", [(), ("training.shard_weights=true",)], ids=["whole", "sharded"])


def torchrun(processes: int, *arguments: str, restarts: int = 0) -> "subprocess.Popen[str]":
    how = ("--standalone", "--nproc-per-node", str(processes), "--max-restarts", str(restarts), "-m", "hrmlab")
    command = [sys.executable, "-m", "torch.distributed.run", *how, *arguments, "--device", "cpu"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)


def finished(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, error = process.communicate(timeout=200)
    return process.returncode, out, error


def weights(run: Path) -> dict[str, torch.Tensor]:
    state: dict[str, Any] = torch.load(RunFolder(run).last_checkpoint() / "training.pt", weights_only=True)
    return {name: tensor.float() for name, tensor in state["model"].items()}


def losses(run: Path) -> list[float]:
    """Their sums up to each checkpoint: a slow machine writes lines between."""
    found, total, before = [], 0.0, 0
    for line in map(json.loads, (run / "metrics.jsonl").read_text().splitlines()):
        if "loss" in line:
            total, before = total + (line["step"] - before) * line["loss"], line["step"]
            found += [total] if before % 5 == 0 else []
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("alone") / "run"
    api.train(SMALL[0], SMALL[1:], out=run, steps=20, device="cpu", threads=1, quiet=True)
    return run


@WEIGHTS
def test_two_processes_make_the_run_of_one_and_three_go_on_with_it(
    alone: Path, tmp_path: Path, how: tuple[str, ...]
) -> None:
    run = tmp_path / "run"
    code, out, error = finished(torchrun(2, "train", *SMALL, *how, "--steps", "10", "--out", str(run), "--json"))
    assert code == 0, error[-3000:]
    assert json.loads(out)["steps"] == 10 and "Warning" not in error
    first = json.loads((run / "results.json").read_text())
    assert first["n"] == 33 and sum("training" in line for line in error.splitlines()) == 1
    code, out, error = finished(torchrun(3, "train", "--resume", str(run), "--steps", "20", "--json"))
    assert code == 0, error[-3000:]
    assert losses(run) == pytest.approx(losses(alone), abs=1e-4)
    wanted = weights(alone)
    assert max(float((tensor - wanted[name]).abs().max()) for name, tensor in weights(run).items()) < 1e-4
    scores, same = (json.loads((of / "results.json").read_text()) for of in (run, alone))
    assert (scores["n"], scores["exact"], scores["by_segment"]) == (same["n"], same["exact"], same["by_segment"])


@WEIGHTS
def test_a_process_that_dies_costs_the_steps_since_the_last_checkpoint(tmp_path: Path, how: tuple[str, ...]) -> None:
    run, steps = tmp_path / "run", (*how, "--steps", "40")
    process = torchrun(2, "train", *SMALL, *steps, "--out", str(run), "--quiet", restarts=1)
    until = time.monotonic() + 100
    while not list(run.glob("checkpoints/0*")):
        assert time.monotonic() < until and process.poll() is None
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children()
    assert len(workers) == 2
    workers[-1].kill()
    code, _, error = finished(process)
    assert code == 0, error[-3000:]
    assert RunFolder(run).last_checkpoint().name == "00000040"
    whole = tmp_path / "whole"
    assert finished(torchrun(2, "train", *SMALL, *steps, "--out", str(whole), "--quiet"))[0] == 0
    wanted = weights(whole)
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in weights(run).items())


def test_the_runs_folder_must_be_named() -> None:
    code, _, error = finished(torchrun(1, "train", *SMALL, "--steps", "1"))
    assert code != 0 and "type --out DIR" in error and "hrmlab/api" not in error
