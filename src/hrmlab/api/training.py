"""`train`: from a preset or configuration file to a run folder with an evaluated model."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.configuring import configure, with_budget
from hrmlab.api.evaluation import scored
from hrmlab.api.interruption import Interruption
from hrmlab.api.puzzles import augmentation, both, own_folder, sample
from hrmlab.api.settings import Threads, choose_device, use_threads
from hrmlab.api.targets import describe_weights
from hrmlab.api.watching import Watch
from hrmlab.config import encode
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.embeddings.shown import ShownTable
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.inference.evaluate import evaluate as measure
from hrmlab.results import Evaluation, Training
from hrmlab.tasks.base import Examples, Split
from hrmlab.terminal import Meter, note
from hrmlab.training.checkpoint import KEPT, checkpoints, restore, save_checkpoint
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.folder import RunFolder, folder_name
from hrmlab.training.loop import Trainer
from hrmlab.training.progress import Monitor, forget_after
from hrmlab.training.ranks import ALONE, Ranks, joined, launched, speaks

__all__ = ["fresh_path", "show", "speaks", "train", "trainer_of"]


def train(
    target: str | Path | None = None,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    seconds: float | None = None,
    steps: int | None = None,
    resume: str | Path | None = None,
    seed: int | None = None,
    device: str = "auto",
    threads: Threads = None,
    watch: str | None = None,
    keep: int = KEPT,
    quiet: bool = False,
) -> Training:
    """Train a model, or go on with a run that was interrupted, and evaluate it on all held-out puzzles.

    Args:
        target: a preset or a configuration file; None with `resume`.
        overrides: `dotted.key=value` changes of the configuration.
        out: the run folder to make; None makes one below `runs/`.
        seconds, steps: the budget, in place of the configuration's; given alone, each is the only limit.
        resume: a run folder to go on with; its budget may be extended, nothing else changed.
        seed: of the initial weights and the order of the puzzles.
        threads: CPU threads of this process, None for torch's choice, "auto" for as many of them as are worth it now.
            Another number changes the last digits, and with them the course of a run.
        watch: a set of probes ("economy") to run now and then while training; a run that they find lost ends.
        keep: checkpoints to keep, the newest; older ones are what a run goes on from where the newest is damaged.

    Raises:
        ConfigError, DataError, CheckpointError: what cannot be used, and what to type.
    """
    if keep < 1:
        raise ConfigError(f"--keep {keep} came; wanted 1 or more checkpoints, e.g. --keep {KEPT}")
    use_threads(threads, quiet)
    place = choose_device(device)
    with joined() as ranks:
        return _train(target, overrides, out, seconds, steps, resume, seed, place, watch, keep, quiet, ranks)


def _train(
    target: str | Path | None,
    overrides: Sequence[str],
    out: str | Path | None,
    seconds: float | None,
    steps: int | None,
    resume: str | Path | None,
    seed: int | None,
    place: torch.device,
    watch: str | None,
    keep: int,
    quiet: bool,
    ranks: Ranks,
) -> Training:
    quiet = quiet or not ranks.leads
    if ranks.several and watch is not None:
        raise ConfigError("--watch came for several processes; it looks at runs of one")
    if launched() and out is None and resume is None:
        raise ConfigError("torchrun came without a run folder, which all processes must know: type --out DIR")
    if ranks.again and out is not None and checkpoints(RunFolder(Path(out)).checkpoints):
        note(f"begun again; {out} goes on from its last checkpoint", quiet)
        target, overrides, resume, out, seed = None, (), out, None, None
    if resume is not None:
        if target is not None or overrides or out is not None or seed is not None:
            raise ConfigError("--resume goes on with a run as it is; only --seconds and --steps may be given with it")
        folder = RunFolder(Path(resume))
        config = with_budget(folder.config(), seconds, steps)
        return _resume(folder, config, place, watch, keep, quiet, ranks)
    if target is None:
        raise ConfigError("nothing to train came; wanted a preset or a configuration file (`hrm catalog preset`)")
    config = configure(target, overrides, seconds, steps, seed)
    path = Path(out) if out is not None else fresh_path(config.name)
    if ranks.leads:
        if ranks.again:
            RunFolder.begin_again(path)
        RunFolder.reserve(path)
    split = both(config, quiet)
    trainer = trainer_of(config, split, place, ranks)
    folder = RunFolder.create(path, config) if ranks.leads else RunFolder(path)
    return _run(trainer, folder, split, watch, keep, quiet)


def fresh_path(name: str) -> Path:
    """A folder below runs/ that does not exist yet, named by run, date and time."""
    stem = f"{folder_name(name)}-{datetime.now():%Y%m%d-%H%M%S}"
    path, number = Path("runs") / stem, 2
    while path.exists():
        path, number = Path("runs") / f"{stem}-{number}", number + 1
    return path


def show(model: HRM, split: Split) -> None:
    """Tell a model that reads demonstrations (`embeddings.shown`) those of its training puzzles."""
    if isinstance(model.puzzles, ShownTable):
        model.puzzles.remember(split.train.identifiers, split.train.inputs, split.train.labels)


def trainer_of(config: RunConfig, split: Split, device: torch.device, ranks: Ranks = ALONE) -> Trainer:
    """A run at its first step, its weights drawn with the run's seed."""
    torch.manual_seed(config.training.seed)
    model = HRM(config.model, config.task.spec())
    show(model, split)
    model = model.to(device)
    return Trainer(config, model, Feeder(split.train, config.training.seed, augmentation(config)), ranks)


def _resume(
    folder: RunFolder, config: RunConfig, device: torch.device, watch: str | None, keep: int, quiet: bool, ranks: Ranks
) -> Training:
    checkpoint = folder.checkpoints / ranks.told(folder.last_checkpoint().name if ranks.leads else "")
    split = both(config, quiet)
    trainer = trainer_of(config, split, device, ranks)
    restore(trainer, checkpoint)
    budget = trainer.budget
    if budget.progress >= 1.0 and (folder.path / "results.json").is_file():
        raise CheckpointError(
            f"{folder.path} is complete at step {budget.step} after {budget.seconds:.0f} s; "
            f"type `hrm eval {folder.path}`, or give more with --seconds or --steps"
        )
    if ranks.leads:
        folder.write("config.json", encode(config))
        (folder.path / "results.json").unlink(missing_ok=True)
        forget_after(folder, budget.step)
    note(f"going on from step {budget.step} of {folder.path}", quiet)
    return _run(trainer, folder, split, watch, keep, quiet)


def _run(trainer: Trainer, folder: RunFolder, split: Split, watch: str | None, keep: int, quiet: bool) -> Training:
    config, start = trainer.config, trainer.budget.step
    some = sample(split.test, config.training.evaluate_puzzles)
    policy = config.evaluation_in_training

    def look(at: Trainer) -> dict[str, Any]:
        mine, pool = _mine(some, at.ranks)
        scores = measure(at.lent(mine.identifiers).eval(), config.task, mine, policy, pool=pool)
        keys = ("n", "exact", "cell", "mean_segments", "by_segment")
        return {key: getattr(scores, key) for key in keys}

    watching = Watch(watch, config, split, folder) if watch is not None else None
    note(f"training {config.name} into {folder.path}", quiet)
    with Interruption() as interruption, Meter(f"training {config.name}", quiet) as meter:
        monitor = Monitor(folder, meter, look, lambda: interruption.asked, trainer, keep)
        try:
            trainer.run(lambda at: monitor(at) and (watching is None or watching(at)))
        except KeyboardInterrupt:  # a second one: what was saved before is all there is
            if not checkpoints(folder.checkpoints):
                raise
            return _training(trainer, folder, None)
        except torch.OutOfMemoryError:
            raise ConfigError(
                f"out of memory on {trainer.device.type}; lower training.batch_size={config.training.batch_size}"
            ) from None
        monitor.log(trainer)
        monitor.close()
        if trainer.budget.step > start or start == 0:
            save_checkpoint(trainer, folder.checkpoints, keep)
    if watching is not None and watching.lost:
        return replace(_training(trainer, folder, None), lost=watching.lost, interrupted=False, resume=None)
    stopped = trainer.stopping if trainer.ranks.several else interruption.asked
    if stopped and trainer.budget.progress < 1.0:
        return _training(trainer, folder, None)
    try:
        evaluation = _final(trainer, split, quiet)
    except KeyboardInterrupt:
        return _training(trainer, folder, None)
    if trainer.ranks.leads:
        folder.write("results.json", evaluation.plain())
    return _training(trainer, folder, evaluation)


def _final(trainer: Trainer, split: Split, quiet: bool) -> Evaluation:
    config = trainer.config
    weights = describe_weights(config, trainer.budget.step)
    seed = config.data.seed if config.data.path is None else None
    folder = own_folder(config)
    mine, pool = split.test, None
    if folder is None or config.task.ballot(folder) is None:  # those who vote must be together
        mine, pool = _mine(split.test, trainer.ranks)
    model = trainer.lent(mine.identifiers).eval()
    return scored(
        Eager(model), config.task, mine, config.evaluation, split.protocol, seed, weights, quiet, folder, pool
    )


def _mine(examples: Examples, ranks: Ranks) -> tuple[Examples, Callable[[Any], list[Any]] | None]:
    """The puzzles that this process answers, and how the counts of all come together."""
    return (examples.part(slice(ranks.number, None, ranks.count)), ranks.pool) if ranks.several else (examples, None)


def _training(trainer: Trainer, folder: RunFolder, evaluation: Evaluation | None) -> Training:
    return Training(
        run=str(folder.path),
        steps=trainer.budget.step,
        seconds=round(trainer.budget.seconds, 3),
        exact=evaluation.exact if evaluation else None,
        cell=evaluation.cell if evaluation else None,
        mean_segments=evaluation.mean_segments if evaluation else None,
        interrupted=evaluation is None,
        resume=None if evaluation else f"hrm train --resume {folder.path}",
        evaluation=evaluation,
    )
