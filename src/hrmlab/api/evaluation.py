"""`eval`: how good a run is on puzzles it has not seen."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from hrmlab.api.answering import SLOTS, ensemble_of
from hrmlab.api.engines import engines_for
from hrmlab.api.puzzles import first, held_out, own_folder
from hrmlab.api.rules import halting_rule
from hrmlab.api.settings import Threads, choose_device, use_threads, versions
from hrmlab.api.targets import companions, find_run
from hrmlab.config import encode
from hrmlab.core.eager import Eager
from hrmlab.errors import DataError
from hrmlab.halting import HaltingConfig
from hrmlab.inference.attempts import Ensemble
from hrmlab.inference.evaluate import evaluate as measure
from hrmlab.inference.evaluate import evaluate_attempts
from hrmlab.inference.puzzles import puzzles_of
from hrmlab.results import Evaluation, Protocol, Tries
from hrmlab.tasks import dataset
from hrmlab.tasks.base import Examples, Task
from hrmlab.terminal import Meter

BATCH = 128
"""Slots of an evaluation."""


def evaluate(
    run: str | Path,
    *,
    data: str | Path | None = None,
    n: int | None = None,
    halting: str | None = None,
    attempts: int = 1,
    vary: str = "start",
    select: str = "vote",
    checkpoints: Sequence[str | Path] = (),
    engine: str = "auto",
    device: str = "auto",
    threads: Threads = None,
    quiet: bool = False,
) -> Evaluation:
    """Measure a run on held-out puzzles.

    Args:
        run: run folder, checkpoint, weights file, or the name of a shipped model.
        data: a data set whose test split is used; None makes the run's own held-out puzzles again.
        n: only the first so many puzzles.
        halting: policy, as `kind` or `kind,key=value,...`; None takes the run's evaluation policy.
        attempts, vary, select, checkpoints: several tries at each puzzle, as for `solve`.
        engine: what computes the segments (`core.engines`). "auto" takes the eager one, unless there is so much to
            answer that compiling pays.

    Raises:
        CheckpointError, ConfigError, DataError: the run, the rule or the data cannot be used, and why.
    """
    use_threads(threads, quiet)
    place = choose_device(device)
    found = find_run(run)
    config = found.config
    rule = halting_rule(halting, config.evaluation)
    task, seed = config.task, config.data.seed if config.data.path is None else None
    folder = Path(data) if data is not None else own_folder(config)
    if data is None:
        model = found.load(place)
        examples, protocol = held_out(config, quiet)
    else:
        about = dataset.stored(Path(data))
        task, seed, protocol = dataset.task_of(Path(data)), about.seed, about.protocol
        if task.kind != config.task.kind:
            raise DataError(f"{data} holds task '{task.kind}', the run was trained on '{config.task.kind}'")
        model = found.load(place, task)
        examples = dataset.view(Path(data), "test")
    examples = first(examples, n)
    models = [model, *companions(checkpoints, task, place)]
    alone, count = attempts == 1 and len(models) == 1, len(examples)
    slots = min(BATCH, count) if alone else SLOTS
    engines = engines_for(
        engine, models, task, rule, puzzles_of(examples), count, slots=slots, attempts=attempts, quiet=quiet
    )
    several = ensemble_of(engines, task, rule, attempts=attempts, vary=vary, select=select)
    if several is not None:
        described = protocol_of(engines[0], task, rule, protocol, seed, found.about_weights)
        return _of_several(several, task, examples, described, quiet)
    return scored(engines[0], task, examples, rule, protocol, seed, found.about_weights, quiet, folder)


def scored(
    engine: Eager,
    task: Task,
    examples: Examples,
    halting: HaltingConfig,
    data: str,
    seed: int | None,
    weights: str,
    quiet: bool,
    folder: Path | None = None,
    pool: Callable[[Any], list[Any]] | None = None,
) -> Evaluation:
    """Accuracies with the protocol that they were measured under.

    Args:
        folder: the data set of the examples, where they come from one; for tasks that are answered by vote.
        pool: as of `inference.evaluate`.

    Raises:
        DataError: there are no examples, or the data set lacks what voting takes.
    """
    ballot = task.ballot(folder) if folder is not None else None
    with Meter(f"answering {len(examples)} puzzles", quiet) as meter:
        scores = measure(
            engine.model, task, examples, halting,
            batch_size=BATCH, progress=ticks(meter, len(examples)), ballot=ballot, engine=engine, pool=pool,
        )  # fmt: skip
    votes = ballot.passes() if ballot is not None else None
    protocol = protocol_of(engine, task, halting, data, seed, weights)
    return Evaluation(
        **asdict(scores),
        protocol=protocol,
        passes=votes.shares if votes is not None else None,
        voted_puzzles=votes.puzzles if votes is not None else None,
    )


def _of_several(several: Ensemble, task: Task, examples: Examples, protocol: Protocol, quiet: bool) -> Evaluation:
    with Meter(f"answering {len(examples)} puzzles", quiet) as meter:
        scores, any_right = evaluate_attempts(several, task, examples, ticks(meter, len(examples)))
    tries = Tries(several.attempts, len(several.solvers), several.vary, several.select, any_right)
    return Evaluation(**asdict(scores), protocol=protocol, tries=tries)


def protocol_of(
    engine: Eager, task: Task, halting: HaltingConfig, data: str, seed: int | None, weights: str
) -> Protocol:
    """What accuracies of a model on held-out puzzles depend on."""
    return Protocol(
        task=encode(task),
        data=data,
        split="test",
        seed=seed,
        halting=encode(halting),
        segments=halting.max_segments,
        weights=weights,
        device=device_name(engine.model.initial.device),
        dtype=str(engine.model.compute_dtype).removeprefix("torch."),
        versions=versions(),
        engine=engine.name,
    )


def ticks(meter: Meter, total: int) -> Callable[[int], None]:
    """For a loop that reports how many of `total` puzzles it has just finished."""
    done = 0

    def tick(count: int) -> None:
        nonlocal done
        done += count
        meter.update(done / total, f"{done} of {total}")

    return tick


def device_name(device: torch.device) -> str:
    """The device in words."""
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type
