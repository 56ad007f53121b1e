"""Everything a run needs to go on: weights, average, optimisers, carry, data position, random states.

A checkpoint is a folder `checkpoints/<step>/` that appears whole or not at all: `weights.safetensors` (what evaluation
and solving use), `training.pt` (tensors, numbers and names only, read without unpickling code) and `manifest.json` with
the checksum of both.
"""

import hashlib
import json
import shutil
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrmlab.core.carry import Batch, Carry
from hrmlab.core.weights import appearing_whole, fill, save_weights, sync, write_atomically
from hrmlab.errors import CheckpointError
from hrmlab.training.loop import Trainer

WEIGHTS, TRAINING, MANIFEST = "weights.safetensors", "training.pt", "manifest.json"
KEPT = 2
"""Checkpoints: the newest, and one to go on from should that be damaged."""


def save_checkpoint(trainer: Trainer, folder: Path, keep: int = KEPT) -> Path:
    """Write a checkpoint below `folder`, then drop all but the newest `keep`, and what a killed run left half-written.

    Raises:
        CheckpointError: the disk is full or not writable; earlier checkpoints are untouched.
    """
    final = folder / f"{trainer.budget.step:08d}"
    temporary = folder / f".{final.name}.{uuid.uuid4().hex[:8]}"
    try:
        temporary.mkdir(parents=True)
        save_weights(trainer.evaluated_model, temporary / WEIGHTS)
        with appearing_whole(temporary / TRAINING) as file:
            torch.save(_state(trainer), file)
        sums = {name: _checksum(temporary / name) for name in (WEIGHTS, TRAINING)}
        write_atomically(temporary / MANIFEST, json.dumps({"step": trainer.budget.step, "sha256": sums}).encode())
        if final.exists():
            shutil.rmtree(final)
        temporary.rename(final)
        sync(folder)
    except OSError as error:
        raise CheckpointError(f"cannot write {final}: {error.strerror}; free some space and resume") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    unfinished = folder.glob(".[0-9]*")  # of a run that was killed while it wrote
    for old in (*checkpoints(folder)[:-keep], *unfinished):
        shutil.rmtree(old)
    return final


def checkpoints(folder: Path) -> list[Path]:
    """The finished checkpoints below a folder, oldest first."""
    return sorted(path for path in folder.glob("[0-9]*") if (path / MANIFEST).is_file())


def verify(checkpoint: Path) -> None:
    """Compare the files of a checkpoint with their checksums.

    Raises:
        CheckpointError: a file is missing, truncated or altered; the message says which.
    """
    try:
        sums = json.loads((checkpoint / MANIFEST).read_text())["sha256"]
    except (OSError, ValueError, KeyError):
        raise CheckpointError(f"{checkpoint / MANIFEST} is missing or damaged") from None
    for name, wanted in sums.items():
        if not (checkpoint / name).is_file() or _checksum(checkpoint / name) != wanted:
            raise CheckpointError(f"{checkpoint / name} is damaged: its checksum is not that of the manifest")


def restore(trainer: Trainer, checkpoint: Path) -> None:
    """Bring a freshly built trainer of the same configuration to where the checkpoint was taken.

    Raises:
        CheckpointError: the files are damaged or belong to another configuration.
    """
    verify(checkpoint)
    file = checkpoint / TRAINING
    try:
        state = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        fill(trainer.model, state["model"], str(file))
        if trainer.ema is not None:
            fill(trainer.ema.model, state["ema"], str(file))
        for optimiser, saved in zip(trainer.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        if trainer.row_optimiser is not None and "row_optimiser" in state:  # absent before there were kinds of it
            trainer.row_optimiser.restore(state["row_optimiser"])
        trainer.carry = _carry(state["carry"], trainer.device)
        trainer.feeder.restore(state["feeder"] | {"order": state["feeder"]["order"].numpy()})
        trainer.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch_rng"])
        trainer.budget.restore(state["step"], state["seconds"])
        if "guard" in state:  # absent before there was one
            trainer.guard.restore(state["guard"])
            trainer.budget.rate = state["rate"]
    except CheckpointError:
        raise
    except (RuntimeError, KeyError, ValueError, EOFError, OSError) as error:
        raise CheckpointError(f"{file} does not belong to this configuration: {error}") from None


def _state(trainer: Trainer) -> dict[str, Any]:
    feeder = trainer.feeder.state()
    return {
        "model": trainer.model.state_dict(),
        "ema": trainer.ema.model.state_dict() if trainer.ema is not None else None,
        "optimisers": [optimiser.state_dict() for optimiser in trainer.optimisers],
        "row_optimiser": trainer.row_optimiser.state() if trainer.row_optimiser is not None else None,
        "carry": asdict(trainer.carry),
        "feeder": feeder | {"order": torch.from_numpy(feeder["order"])},
        "generator": trainer.generator.get_state(),
        "torch_rng": torch.get_rng_state(),
        "step": trainer.budget.step,
        "seconds": trainer.budget.seconds,
        "guard": trainer.guard.state(),
        "rate": trainer.budget.rate,
    }


def _carry(saved: dict[str, Any], device: torch.device) -> Carry:
    def place(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.to(device)
        return {name: place(inner) for name, inner in value.items()}

    parts = place(saved)
    return Carry(**parts | {"batch": Batch(**parts["batch"])})


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
