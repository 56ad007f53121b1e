"""Runs of two processes beside those of one: how they are made, and how far their checkpoints may differ."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from hrmlab.training.checkpoint import TRAINING, checkpoints

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
WEIGHTS, STATES = 1e-7, 1e-5
"""How far they may differ: weights are float64, norms and rotations are reckoned in float32, as states show."""


def by_two(script: str, folder: Path, *arguments: str) -> Path:
    """The folder in which two processes of a script in this one worked."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    command = [*TORCHRUN, str(Path(__file__).with_name(script)), str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def states(folder: Path) -> list[dict[str, Any]]:
    return [torch.load(of / TRAINING, weights_only=True) for of in checkpoints(folder)]


def tensors(state: Any, path: str = "") -> dict[str, torch.Tensor]:
    if isinstance(state, torch.Tensor):
        return {path: state}
    pairs = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ()
    return {name: of for key, part in pairs for name, of in tensors(part, f"{path}/{key}").items()}


def assert_alike(found: dict[str, Any], wanted: dict[str, Any], within: float = STATES) -> None:
    ours, theirs = ({name: of for name, of in tensors(state).items() if "torch_rng" not in name}
                    for state in (found, wanted))  # fmt: skip
    assert ours.keys() == theirs.keys()
    for name in ours:
        atol = min(within, STATES if name.startswith("/carry") else WEIGHTS)
        torch.testing.assert_close(ours[name], theirs[name], atol=atol, rtol=0, msg=lambda m, n=name: f"{n}: {m}")
    assert {name: found[name] for name in ("step", "rate")} == {name: wanted[name] for name in ("step", "rate")}
