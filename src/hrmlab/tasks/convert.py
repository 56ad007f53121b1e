"""From the public sets' CSV files to a data set on disk, subsampled and enlarged as the reference's builders do."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from hrmlab.errors import ConfigError, DataError
from hrmlab.tasks.base import Examples, Split, Task, Tokens
from hrmlab.tasks.board import dihedral
from hrmlab.tasks.dataset import write
from hrmlab.tasks.layout import SPLITS, check_free
from hrmlab.tasks.public_csv import Bytes, Rows, locate, read_csv

# Puzzles made by one call of an augmentation.
BLOCK = 65536

# (inputs, labels, random generator) -> (inputs, labels), shape (n, seq_len), each row changed on its own.
Augment = Callable[[Tokens, Tokens, np.random.Generator], tuple[Tokens, Tokens]]


def convert(
    source: str | Path,
    path: Path,
    task: Task,
    *,
    train: int | None = None,
    test: int | None = None,
    seed: int = 0,
    augmentations: int = 0,
    augment: Augment | None = None,
    symmetries: bool = False,
    replace: bool = False,
) -> Split:
    """Convert `train.csv` and `test.csv` and write a data set.

    Args:
        source: a folder with the two files, or a data set on the Hugging Face Hub as `owner/name`.
        path: the folder to make.
        task: the Sudoku or maze task that the puzzles belong to.
        train, test: keep a random choice of so many; None keeps all.
        augmentations: after each training puzzle, so many of its variants made by `augment`.
        symmetries: each training maze in all symmetries of its board, itself first (8 where it is square).

    Raises:
        ConfigError: options that do not go together, or a task of another kind.
        DataError: a file or row that cannot be used, more puzzles wanted than there are, or the disk refuses.
        MissingExtraError: the Hub is needed and its package is not installed.
    """
    _check(task, augmentations, augment, symmetries, seed)
    check_free(Path(path).resolve(), replace=replace)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(seed)))
    sets: dict[str, Examples] = {}
    groups: dict[str, npt.NDArray[np.int64]] = {}
    for name, count in zip(SPLITS, (train, test), strict=True):
        rows = read_csv(locate(source, f"{name}.csv"), task)
        rows = _choose(rows, count, name, seed)
        inputs, labels, copies = rows.questions, rows.answers, 1
        if name == "train" and symmetries:
            table = dihedral(*_board(task))
            copies = len(table)
            inputs, labels = (part[:, table].reshape(-1, part.shape[1]) for part in (inputs, labels))
        elif name == "train" and augmentations and augment is not None:
            copies = 1 + augmentations
            inputs, labels = _augmented(inputs, labels, augmentations, augment, rng)
        # Left as bytes: the public sets hold millions of puzzles, and they are only written.
        sets[name] = Examples(
            inputs=cast(Tokens, inputs),
            labels=cast(Tokens, labels),
            identifiers=np.zeros(len(inputs), np.int32),
            rating=np.repeat(rows.ratings, copies),
        )
        groups[name] = np.repeat(np.arange(len(rows.questions)), copies)
    protocol = (
        f"converted from {source}, which sets train and test apart; "
        f"kept {_count(train)} and {_count(test)} by seed {seed}; {_copies(augmentations, symmetries)}"
    )
    split = Split(sets["train"], sets["test"], protocol)
    write(Path(path), task, split, seed, groups=groups, replace=replace)
    return split


def _count(wanted: int | None) -> str:
    return "all" if wanted is None else str(wanted)


def _copies(augmentations: int, symmetries: bool) -> str:
    """In words, how the training set was enlarged."""
    if symmetries:
        return "training mazes in all symmetries of the board"
    return f"{augmentations} augmentations of each training puzzle" if augmentations else "no augmentation"


def _check(task: Task, augmentations: int, augment: Augment | None, symmetries: bool, seed: int) -> None:
    if task.kind not in ("sudoku", "maze"):
        raise ConfigError(f"task '{task.kind}' cannot be converted from this layout, wanted sudoku or maze")
    if augmentations < 0:
        raise ConfigError(f"augmentations={augmentations}; wanted 0 or more")
    if seed < 0:
        raise ConfigError(f"seed={seed}; wanted 0 or more")
    if augmentations and augment is None:
        raise ConfigError(f"augmentations={augmentations}, but no augmentation is given for task '{task.kind}'")
    if symmetries and (task.kind != "maze" or augmentations):
        raise ConfigError("symmetries are for mazes, and take the place of augmentations; give one of the two")


def _board(task: Task) -> tuple[int, int]:
    rows, columns = task.spec().shape
    return rows, columns


def _choose(rows: Rows, count: int | None, name: str, seed: int) -> Rows:
    """A random choice of the rows, in their order."""
    total = len(rows.questions)
    if count is None:
        return rows
    if not 0 <= count <= total:
        raise DataError(f"{count} {name} puzzles wanted, the file has {total}; leave --{name} out for all")
    # Sorting raw words: the same choice with every version of numpy.
    words = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(SPLITS.index(name),))).random_raw(total)
    kept = np.sort(np.argsort(words, kind="stable")[:count])
    return Rows(rows.questions[kept], rows.answers[kept], rows.ratings[kept])


def _augmented(
    inputs: Bytes, labels: Bytes, count: int, augment: Augment, rng: np.random.Generator
) -> tuple[Bytes, Bytes]:
    """Each puzzle followed by `count` variants; shape (n * (1 + count), cells)."""
    puzzles, cells = inputs.shape
    grown = np.empty((2, puzzles, 1 + count, cells), np.uint8)
    grown[0, :, 0], grown[1, :, 0] = inputs, labels
    step = max(1, BLOCK // count)
    for start in range(0, puzzles, step):
        block = slice(start, min(start + step, puzzles))
        questions, answers = (np.repeat(part[block].astype(np.int32), count, axis=0) for part in (inputs, labels))
        for part, variants in enumerate(augment(questions, answers, rng)):
            grown[part, block, 1:] = variants.reshape(-1, count, cells)
    return grown[0].reshape(-1, cells), grown[1].reshape(-1, cells)
