"""Everything a run needs to go on: weights, average, optimisers, carry, data position, random states.

A checkpoint is a folder `checkpoints/<step>/` that appears whole or not at all: `weights.safetensors` (what evaluation
and solving use), `training.pt` (tensors, numbers and names only, read without unpickling code) and `manifest.json` with
the checksum of both.
"""

import hashlib
import json
import pickle
import shutil
import uuid
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hrmlab.core.carry import Batch, Carry
from hrmlab.core.weights import appearing_whole, fill, save_tensors, sync, write_atomically
from hrmlab.errors import CheckpointError, HrmLabError
from hrmlab.reading import read_json
from hrmlab.training.draws import draws, restore_draws
from hrmlab.training.form import faults
from hrmlab.training.loop import Trainer
from hrmlab.training.sharding import ShardedTable

WEIGHTS, TRAINING, MANIFEST = "weights.safetensors", "training.pt", "manifest.json"
ROWS = "puzzles.rows"
"""The puzzle table's name in a model."""
KEPT = 2
"""Checkpoints: the newest, and one to go on from should that be damaged."""


def save_checkpoint(trainer: Trainer, folder: Path, keep: int = KEPT) -> Path:
    """Write a checkpoint below `folder`, then drop all but the newest `keep`, and what a killed run left half-written.

    Of several processes the first one writes, in the same form as one alone would: any number of them can go on.

    Raises:
        CheckpointError: the disk is full or not writable; earlier checkpoints are untouched.
    """
    final = folder / f"{trainer.budget.step:08d}"
    temporary = folder / f".{final.name}.{uuid.uuid4().hex[:8]}"
    state = _state(trainer)
    if not trainer.ranks.leads:
        return final
    try:
        temporary.mkdir(parents=True)
        save_tensors(state["ema"] or state["model"], temporary / WEIGHTS)
        with appearing_whole(temporary / TRAINING) as file:
            torch.save(state, file)
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
        sums = read_json(checkpoint / MANIFEST)["sha256"]
        known = {name: sums[name] for name in (WEIGHTS, TRAINING)}
    except (OSError, ValueError, KeyError, TypeError):
        raise CheckpointError(f"{checkpoint / MANIFEST} is missing or damaged") from None
    if known != sums:
        raise CheckpointError(f"{checkpoint / MANIFEST} names other files than {WEIGHTS} and {TRAINING}")
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
    state = _read(file)
    wrong = next(faults(trainer, state), None)
    if wrong is not None:
        raise CheckpointError(_foreign(file, wrong))
    try:
        fill(trainer.model, _own(trainer, state["model"]), str(file))
        if trainer.ema is not None:
            fill(trainer.ema.model, _own(trainer, state["ema"]), str(file))
        for optimiser, saved in zip(trainer.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(optimiser.state_dict() | {"state": _each(saved["state"], torch.clone)})
        if trainer.row_optimiser is not None and "row_optimiser" in state:  # absent before there were kinds of it
            part = _part(trainer)
            rows = trainer.row_optimiser.each_row(state["row_optimiser"], lambda tensor: part(tensor).clone())
            trainer.row_optimiser.restore(rows)
        trainer.carry = _carry(state["carry"], trainer)
        trainer.feeder.restore(state["feeder"] | {"order": state["feeder"]["order"].numpy()})
        trainer.generator.set_state(state["generator"])
        restore_draws(trainer, state)
        trainer.budget.restore(state["step"], state["seconds"])
        if "guard" in state:  # absent before there was one
            trainer.guard.restore(state["guard"])
            trainer.budget.rate = state["rate"]
    except HrmLabError:
        raise
    except (RuntimeError, LookupError, ValueError, TypeError, AttributeError, OverflowError):
        raise CheckpointError(_foreign(file, "the states of its generators or of its rows are none")) from None


def _read(file: Path) -> Any:
    """Tensors, numbers and names; never runs code that the file brings.

    The tensors lie in the file, which may be gone or cut later: what is kept of them is copied.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of other pickle protocols: what cannot be read raises
            return torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError:
        raise CheckpointError(_foreign(file, "it holds more than tensors, and is not opened")) from None
    except Exception:  # the reader of pickles lets anything through
        raise CheckpointError(_foreign(file, "nothing can be read from it")) from None


def _foreign(file: Path, why: str) -> str:
    return (
        f"{file} does not belong to this configuration: {why}; to go on from an older checkpoint, delete {file.parent}"
    )


def _state(trainer: Trainer) -> dict[str, Any]:
    feeder, rows = trainer.feeder.state(), trainer.row_optimiser
    table, shares = trainer.model.puzzles, trainer.ranks.shares(trainer.config.training.batch_size)
    whole = table.whole if isinstance(table, ShardedTable) else _as_it_is
    model = trainer.model.state_dict()
    ema = trainer.ema.model.state_dict() if trainer.ema is not None else None
    if ROWS in model:
        shared = ema is not None and ema[ROWS].data_ptr() == model[ROWS].data_ptr()
        shared = trainer.ranks.told(shared)  # by the first process, which has rows: those of none begin nowhere
        model[ROWS] = whole(model[ROWS])
        if ema is not None:
            ema[ROWS] = model[ROWS] if shared else whole(ema[ROWS])
    return {
        "model": model,
        "ema": ema,
        "optimisers": [optimiser.state_dict() for optimiser in trainer.optimisers],
        "row_optimiser": rows.each_row(rows.state(), whole) if rows is not None else None,
        "carry": _each(asdict(trainer.carry), lambda tensor: trainer.ranks.all(tensor, shares)),
        "feeder": feeder | {"order": torch.from_numpy(feeder["order"])},
        "generator": trainer.generator.get_state(),
        **draws(trainer),
        "step": trainer.budget.step,
        "seconds": trainer.budget.seconds,
        "guard": trainer.guard.state(),
        "rate": trainer.budget.rate,
    }


def _as_it_is(tensor: Tensor) -> Tensor:
    return tensor


def _part(trainer: Trainer) -> Callable[[Tensor], Tensor]:
    """What takes this process's rows out of a tensor with a row for each of the puzzle table."""
    table = trainer.model.puzzles
    return table.part if isinstance(table, ShardedTable) else _as_it_is


def _own(trainer: Trainer, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return state | {ROWS: _part(trainer)(state[ROWS])} if ROWS in state else state


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Nested dictionaries with their tensors changed."""
    return change(value) if isinstance(value, Tensor) else {name: _each(part, change) for name, part in value.items()}


def _carry(saved: dict[str, Any], trainer: Trainer) -> Carry:
    own = trainer.ranks.own(trainer.config.training.batch_size)
    parts = _each(saved, lambda tensor: tensor[own].to(trainer.device, copy=True))
    return Carry(**parts | {"batch": Batch(**parts["batch"])})


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
