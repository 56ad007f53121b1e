"""`transfer`: the weights of a trained model, as far as they fit, in a fresh model of another configuration."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.configuring import configure
from hrmlab.api.differences import fitting
from hrmlab.api.puzzles import augmentation, both
from hrmlab.api.settings import Threads, use_threads
from hrmlab.api.targets import find_run
from hrmlab.api.training import show
from hrmlab.core.model import HRM
from hrmlab.core.weights import read_weights
from hrmlab.errors import CheckpointError
from hrmlab.results import Transfer
from hrmlab.training.checkpoint import save_checkpoint
from hrmlab.training.feeder import Feeder
from hrmlab.training.folder import RunFolder
from hrmlab.training.loop import Trainer


def transfer(
    a: str | Path,
    b: str | Path,
    overrides: Sequence[str] = (),
    *,
    out: str | Path,
    seed: int | None = None,
    threads: Threads = None,
    quiet: bool = False,
) -> Transfer:
    """Move every tensor of A's evaluated weights whose name and shape B has into a fresh B, and write a run of it.

    The run stands at step 0 of B's budget: its optimisers, averages, data and random states are new.

    Args:
        a: a run or a shipped model.
        b: a preset, a run or a configuration file; of a run, the configuration alone is used.
        overrides: `dotted.key=value` changes of B's configuration.
        out: the run folder to make.
        seed: of what is not moved, and of B's training.

    Raises:
        CheckpointError: A has no weights, nothing of its networks fits, or the run cannot be written.
        ConfigError, DataError: B's configuration or its data cannot be used.
    """
    use_threads(threads, quiet)
    run, path = find_run(a), Path(out)
    found, config = read_weights(run.weights), configure(b, overrides, seed=seed)
    torch.manual_seed(config.training.seed)
    model = HRM(config.model, config.task.spec())
    wanted = model.state_dict()
    fit = fitting(found, wanted)
    if not any(name.startswith("networks.") for name in fit["kept"]):
        raise CheckpointError(
            f"nothing of {a}'s networks fits {b}: no tensor has its name and shape; type `hrm compare {a} {b}`"
        )
    RunFolder.reserve(path)
    split = both(config, quiet)
    with torch.no_grad():
        for name in fit["kept"]:
            wanted[name].copy_(found[name])
    show(model, split)
    trainer = Trainer(config, model, Feeder(split.train, config.training.seed, augmentation(config)))
    folder = RunFolder.create(path, config)
    folder.write("transfer.json", {"from": str(a), "fingerprint": run.fingerprint, "weights": fit})
    save_checkpoint(trainer, folder.checkpoints)
    moved = sum(wanted[name].numel() for name in fit["kept"])
    total = sum(tensor.numel() for tensor in wanted.values())
    return Transfer(str(path), fit, total, moved, _notes(fit, run.about_weights))


def _notes(fit: dict[str, list[Any]], about: str) -> list[str]:
    notes = [f"moved: {len(fit['kept'])} tensors of A's {about}"]
    if new := len(fit["missing"]) + len(fit["reshaped"]):
        notes.append(f"fresh, as B's seed draws them: {new} tensors that A lacks or has in another shape")
    if fit["dropped"]:
        notes.append(f"left behind: {len(fit['dropped'])} tensors of A that B has no place for")
    return [*notes, "optimisers, averages, data and random states are new: training goes on from step 0 of B's budget"]
