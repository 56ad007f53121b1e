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
from torch import Tensor, nn

from hrmlab.core.carry import Batch, Carry
from hrmlab.core.weights import appearing_whole, fill, save_tensors, sync, write_atomically
from hrmlab.errors import CheckpointError, HrmLabError
from hrmlab.pickles import refuse_long_names
from hrmlab.reading import read_json
from hrmlab.training.draws import draws, restore_draws
from hrmlab.training.form import faults
from hrmlab.training.loop import Trainer
from hrmlab.training.parts import part, shared, whole
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
        fill(trainer.model, _own(trainer, state["model"], trainer.model), str(file))
        if trainer.ema is not None:
            fill(trainer.ema.model, _own(trainer, state["ema"], trainer.ema.model), str(file))
        for optimiser, saved in zip(trainer.optimisers, state["optimisers"], strict=True):
            parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
            moments = {at: {name: part(tensor, parameters[at]).clone() for name, tensor in of.items()}
                       for at, of in saved["state"].items()}  # fmt: skip
            optimiser.load_state_dict(optimiser.state_dict() | {"state": moments})
        if trainer.row_optimiser is not None and "row_optimiser" in state:  # absent before there were kinds of it
            of_rows = _rows(trainer)
            rows = trainer.row_optimiser.each_row(state["row_optimiser"], lambda tensor: of_rows(tensor).clone())
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
            refuse_long_names(file)
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
    all_rows = table.whole if isinstance(table, ShardedTable) else _as_it_is
    model = _together(trainer, trainer.model.state_dict())
    ema = _together(trainer, trainer.ema.model.state_dict()) if trainer.ema is not None else None
    if ROWS in model:
        same = ema is not None and ema[ROWS].data_ptr() == model[ROWS].data_ptr()
        same = trainer.ranks.told(same)  # by the first process, which has rows: those of none begin nowhere
        model[ROWS] = all_rows(model[ROWS])
        if ema is not None:
            ema[ROWS] = model[ROWS] if same else all_rows(ema[ROWS])
    return {
        "model": model,
        "ema": ema,
        "optimisers": [_together(trainer, optimiser.state_dict()) for optimiser in trainer.optimisers],
        "row_optimiser": rows.each_row(rows.state(), all_rows) if rows is not None else None,
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


def _together(trainer: Trainer, state: dict[str, Any]) -> dict[str, Any]:
    """A state with its tensors whole where processes have parts of them: at the first one, outside a GPU; the others
    get nothing in their place."""
    if trainer.sharded is None:
        return state

    def gathered(tensor: Tensor) -> Tensor:
        found = whole(tensor) if shared(tensor) else None
        return tensor if found is None else found.cpu() if trainer.ranks.leads else found.new_empty(0)

    return {name: _each(part, gathered) for name, part in state.items()}


def _rows(trainer: Trainer) -> Callable[[Tensor], Tensor]:
    """What takes this process's rows out of a tensor with a row for each of the puzzle table."""
    table = trainer.model.puzzles
    return table.part if isinstance(table, ShardedTable) else _as_it_is


def _own(trainer: Trainer, state: dict[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Of whole tensors what this process has of each."""
    likes = model.state_dict()
    own = {name: part(tensor, likes.get(name, tensor)) for name, tensor in state.items()}
    return own | {ROWS: _rows(trainer)(own[ROWS])} if ROWS in own else own


def _each(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Nested dictionaries with their tensors changed."""
    if isinstance(value, dict):
        return {name: _each(part, change) for name, part in value.items()}
    return change(value) if isinstance(value, Tensor) else value


def _carry(saved: dict[str, Any], trainer: Trainer) -> Carry:
    own = trainer.ranks.own(trainer.config.training.batch_size)
    parts = _each(saved, lambda tensor: tensor[own].to(trainer.device, copy=True))
    return Carry(**parts | {"batch": Batch(**parts["batch"])})


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
