"""`data build`, `data check`, `data show`: data sets in the reference's layout."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hrmlab.config import decode, override
from hrmlab.errors import ConfigError, DataError, unknown
from hrmlab.presets import PRESETS, preset
from hrmlab.results import DataCheck, DataSet, DataView
from hrmlab.tasks import TASKS, Arc, Table, Task, dataset
from hrmlab.tasks.arc.building import build
from hrmlab.tasks.base import IGNORE, Split
from hrmlab.tasks.convert import convert
from hrmlab.tasks.loading import Loaded
from hrmlab.tasks.stored import expect_folder
from hrmlab.terminal import Meter


def data_build(
    task: str,
    overrides: Sequence[str] = (),
    *,
    out: str | Path,
    train: int | None = None,
    test: int | None = None,
    csv: str | Path | None = None,
    hub: str | None = None,
    augmentations: int = 0,
    symmetries: bool = False,
    replace: bool = False,
    seed: int = 0,
    quiet: bool = False,
) -> DataSet:
    """Generate puzzles, or convert public or own ones, into a data-set folder.

    Args:
        task: a task by name, or a preset whose task is meant.
        overrides: `key=value` of the task, e.g. `box_rows=2`.
        out: the folder to make.
        train, test: how many; None makes 1000 and 200, and takes all where files are read.
        csv: a folder with the public sets' train.csv and test.csv, or for task `table` your own file.
        hub: a data set of that layout on the Hugging Face Hub, `owner/name`.
        augmentations, symmetries: enlarge converted training sets as the reference's builders do.
        replace: overwrite a data set of ours at `out`.

    Raises:
        ConfigError, DataError, MissingExtraError: what cannot be used, and what to type.
    """
    start, path, chosen = time.perf_counter(), Path(out), _task(task, overrides)
    if csv is not None and hub is not None:
        raise ConfigError("--csv and --hub came; wanted one of them")
    dataset.check_free(path.absolute(), replace=replace)
    if isinstance(chosen, Table):
        if hub is not None:
            raise ConfigError("task 'table' reads your own file, not the Hub; wanted --csv FILE or train_file=FILE")
        loaded = _table(chosen, csv, train, test, seed)
        split = loaded.split
        dataset.write(
            path, loaded.task, split, seed, groups=loaded.groups, identifiers=loaded.identifiers, replace=replace
        )
    elif isinstance(chosen, Arc):
        if (csv, hub, train, test) != (None, None, None, None) or augmentations or symmetries:
            raise ConfigError(
                "task 'arc' takes none of --train --test --csv --hub --augmentations --symmetries; wanted settings, "
                "e.g. source=arcagi2 augmentations=100 puzzles=50"
            )
        return _arc(chosen, path, seed, replace, quiet, start)
    elif csv is not None or hub is not None:
        split = _converted(str(csv or hub), path, chosen, train, test, seed, augmentations, symmetries, replace)
    else:
        if augmentations or symmetries:
            raise ConfigError(
                "--augmentations and --symmetries enlarge converted sets; wanted --csv or --hub with them"
            )
        from hrmlab.api.puzzles import generate

        split = generate(chosen, 1000 if train is None else train, 200 if test is None else test, seed, quiet)
        dataset.write(path, chosen, split, seed, replace=replace)
    seconds = round(time.perf_counter() - start, 3)
    return DataSet(str(path), len(split.train), len(split.test), seconds, split.protocol)


def data_check(path: str | Path) -> DataCheck:
    """Every problem of a data set: files, shapes, ranges, wrong answers, test puzzles that are in training too.

    Raises:
        DataError: there is no folder.
    """
    expect_folder(Path(path))
    problems = dataset.problems(Path(path))
    return DataCheck(str(path), not problems, problems)


def data_show(path: str | Path, *, split: str = "train", n: int = 3) -> DataView:
    """The first puzzles of a split, drawn with their answers.

    Raises:
        DataError: no such split, or the data set is damaged.
    """
    if split not in ("train", "test"):
        raise DataError(f"split '{split}' came; wanted train or test")
    if n < 1:
        raise DataError(f"--n {n} came; wanted 1 or more")
    folder = Path(path)
    task, about = dataset.task_of(folder), dataset.stored(folder)
    which: Literal["train", "test"] = "train" if split == "train" else "test"
    examples = dataset.read(folder, which, n)
    puzzles = []
    for inputs, labels, rating in zip(examples.inputs, examples.labels, examples.rating, strict=True):
        answer = labels.copy()
        answer[labels == IGNORE] = task.spec().pad_id
        puzzles.append(
            {
                "input": task.format(inputs),
                "output": task.format(answer) if (labels != IGNORE).all() or task.kind in ("arc", "table") else None,
                "rating": None if rating == dataset.UNRATED else int(rating),
                "drawing": task.draw(inputs),
                "answer": task.draw(inputs, answer),
            }
        )
    return DataView(str(path), about.protocol, split, len(puzzles), puzzles)


def _task(name: str, overrides: Sequence[str]) -> Task:
    if name not in TASKS.names() and name in PRESETS:
        base: Task = preset(name).make().task
    elif name in TASKS.names():
        base = decode(Task, {"kind": name}, f"task '{name}'")  # type: ignore[type-abstract]
    else:
        raise ConfigError(unknown("task or preset", name, [*TASKS.names(), *PRESETS]))
    return override(base, overrides)


def _table(task: Table, csv: str | Path | None, train: int | None, test: int | None, seed: int) -> Loaded:
    if csv is not None:
        task = override(task, [f"train_file={csv}"])
    return task.load(seed).first(train or 0, test or 0)


def _arc(task: Arc, path: Path, seed: int, replaces: bool, quiet: bool, start: float) -> DataSet:
    with Meter("drawing and writing variants of ARC puzzles", quiet) as meter:
        made = build(
            task, path, seed, replaces=replaces, progress=lambda done, all_: meter.update(done / all_, str(path))
        )
    seconds = round(time.perf_counter() - start, 3)
    return DataSet(str(path), made.train, made.test, seconds, made.protocol)


def _converted(
    source: str,
    path: Path,
    task: Task,
    train: int | None,
    test: int | None,
    seed: int,
    augmentations: int,
    symmetries: bool,
    replace: bool,
) -> Split:
    return convert(
        source,
        path,
        task,
        train=train,
        test=test,
        seed=seed,
        augmentations=augmentations,
        augment=getattr(task, "augment", None),
        symmetries=symmetries,
        replace=replace,
    )
