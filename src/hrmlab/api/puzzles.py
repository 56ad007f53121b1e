"""The puzzles of a run: read from its data set, or generated again from its configuration."""

import inspect
from dataclasses import replace
from pathlib import Path

from hrmlab.errors import ConfigError, DataError
from hrmlab.presets import PRESETS
from hrmlab.tasks import dataset
from hrmlab.tasks.base import Examples, Split, Task
from hrmlab.terminal import Meter
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Augment


def resolved(config: RunConfig) -> RunConfig:
    """The configuration with the task of its data set, where it names one.

    Raises:
        DataError: there is no data set at `data.path`.
    """
    if config.data.path is None:
        return config
    path, made_by = Path(config.data.path), PRESETS.get(config.name)
    if not path.exists() and made_by is not None and made_by.data:
        raise DataError(f"no data set at {path}; make it: `hrm data build {made_by.name} --out {path} {made_by.data}`")
    return replace(config, task=dataset.task_of(path))


def generate(task: Task, train: int, test: int, seed: int, quiet: bool) -> Split:
    """Puzzles of a task, with a bar while they are made.

    Raises:
        DataError: not that many exist, or a number is negative.
    """
    total = train + test
    with Meter(f"making {total} puzzles", quiet) as meter:
        if "progress" not in inspect.signature(task.generate).parameters:
            return task.generate(train, test, seed)
        made = 0

        def tick(count: int, wanted: int | None = None) -> None:
            # Tasks report either how many were just added, or how many there are and how many are wanted.
            nonlocal made
            made = made + count if wanted is None else count
            meter.update(made / max(total, 1), f"{made} of {total}")

        return task.generate(train, test, seed, progress=tick)  # type: ignore[call-arg]


def both(config: RunConfig, quiet: bool) -> Split:
    """Training and held-out puzzles, at least one of each.

    Raises:
        DataError: the data set is missing, damaged or empty, or the task cannot make so many.
    """
    data = config.data
    if data.path is not None:
        path = Path(data.path)
        split = Split(dataset.view(path, "train"), dataset.view(path, "test"), dataset.stored(path).protocol)
    else:
        split = generate(config.task, data.train, data.test, data.seed, quiet)
    if not len(split.train) or not len(split.test):
        where = data.path or f"data.train={data.train} data.test={data.test}"
        raise DataError(
            f"{where}: {len(split.train)} training and {len(split.test)} held-out puzzles; wanted 1 or more"
        )
    return split


def held_out(config: RunConfig, quiet: bool) -> tuple[Examples, str]:
    """The run's own held-out puzzles and the protocol that kept them apart.

    Raises:
        DataError: the data set is gone or damaged.
    """
    data = config.data
    if data.path is not None:
        path = Path(data.path)
        return dataset.view(path, "test"), dataset.stored(path).protocol
    split = generate(config.task, 0, data.test, data.seed, quiet)
    return split.test, split.protocol


def first(examples: Examples, count: int | None) -> Examples:
    """The first `count` examples; all of them for None.

    Raises:
        DataError: less than one wanted, or more than there are.
    """
    if count is None:
        return examples
    if not 1 <= count <= len(examples):
        raise DataError(f"{count} puzzles came with --n; wanted 1 to {len(examples)}, as many as there are")
    return examples.part(slice(count))


def sample(examples: Examples, most: int) -> Examples:
    """Up to `most` examples: the first; or, where neighbours are variants of one puzzle, evenly spaced ones."""
    count = len(examples)
    if count <= most or not examples.identifiers.any():
        return first(examples, min(most, count))
    return examples.part(slice(0, count // most * most, count // most))


def own_folder(config: RunConfig) -> Path | None:
    """The data set that a run reads, or None where it generates its puzzles."""
    return None if config.data.path is None else Path(config.data.path)


def augmentation(config: RunConfig) -> Augment | None:
    """The task's random symmetries, where the configuration asks for them.

    Raises:
        ConfigError: the task has none.
    """
    if not config.data.augment:
        return None
    augment: Augment | None = getattr(config.task, "augment", None)
    if augment is None:
        raise ConfigError(f"data.augment is on, but task '{config.task.kind}' has no augmentation; set it to false")
    return augment
