"""Data sets on disk: write and read the reference's layout (see `layout`), and say which task they belong to.

In memory a label of -100 is not scored; on disk it is the token `ignore_label_id` (0, the padding), so that labels of
padding come back as not scored. What the reference
has no place for (the task, the seed, the protocol, the ratings) goes into files of our own next to it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from hrmlab.config import encode
from hrmlab.errors import DataError
from hrmlab.spec import TaskSpec
from hrmlab.tasks.audit import SplitFiles, problems
from hrmlab.tasks.base import IGNORE, Examples, Split, Task
from hrmlab.tasks.layout import (
    BLANK,
    FIELDS,
    IDENTIFIERS,
    OURS,
    RATING,
    SPLITS,
    Array,
    Metadata,
    atomic_folder,
    check_free,
    load_json,
    save_array,
    save_json,
)
from hrmlab.tasks.packed import Packed
from hrmlab.tasks.stored import Stored, expect_folder, stored, task_of

__all__ = [
    "UNRATED",
    "Stored",
    "check_free",
    "load",
    "names",
    "problems",
    "read",
    "stored",
    "task_of",
    "view",
    "write",
]

UNRATED = -1

Groups = Mapping[str, npt.ArrayLike]


def write(
    path: Path,
    task: Task,
    split: Split,
    seed: int | None,
    *,
    groups: Groups | None = None,
    identifiers: Sequence[str] = (BLANK,),
    replace: bool = False,
) -> None:
    """Write a data set; either all of it is there afterwards, or nothing.

    Args:
        path: the folder to make.
        task: what reads and checks these examples.
        groups: for "train" and "test", the group of each example, shape (n,), equal numbers side by side. Examples that
            are one puzzle and its augmentations share a group. Left out: each puzzle is a group.
        identifiers: the name of each puzzle identifier, the blank first.
        replace: overwrite a data set of ours at `path`.

    Raises:
        DataError: the folder is taken, the arrays do not fit the task or each other, or the disk is full.
    """
    spec = task.spec()
    _check_names(identifiers, spec)
    contents = {}
    for name, examples in zip(SPLITS, (split.train, split.test), strict=True):
        _check(name, examples, spec)
        contents[name] = _arrays(name, examples, spec, (groups or {}).get(name))
    about = Stored(task=encode(task), seed=seed, protocol=split.protocol, ratings=RATING)
    with atomic_folder(Path(path), replace=replace) as folder:
        for name, (metadata, arrays) in contents.items():
            (folder / name).mkdir()
            for file, array in arrays.items():
                save_array(folder / name / file, array)
            save_json(folder / name / "dataset.json", encode(metadata))
        save_json(folder / IDENTIFIERS, list(identifiers))
        save_json(folder / OURS, encode(about))


def read(path: Path, split: Literal["train", "test"], limit: int | None = None) -> Examples:
    """The examples of one split, checked; ratings are -1 where the folder has none.

    Args:
        path: the root of a data set, ours or the reference's.
        limit: read only so many of the first examples; the others are neither loaded nor checked.

    Raises:
        DataError: what is missing, unreadable or inconsistent.
    """
    files = _sound(path, split, limit)
    inputs = files.rows("inputs", limit).astype(np.int32)
    labels = files.rows("labels", limit).astype(np.int32)
    if files.metadata.ignore_label_id is not None:
        labels[labels == files.metadata.ignore_label_id] = IGNORE
    return Examples(inputs, labels, files.identifiers()[:limit].astype(np.int32), _rating(files, limit))


def view(path: Path, split: Literal["train", "test"]) -> Examples:
    """As `read`, but inputs and labels stay on disk until rows of them are taken (`Packed`), whatever their number.

    Raises:
        DataError: as `read`.
    """
    files = _sound(path, split)
    inputs, labels = ([arrays[part] for arrays in files.sets.values()] for part in ("inputs", "labels"))
    return Examples(
        inputs=Packed.tokens(inputs),
        labels=Packed.tokens(labels, files.metadata.ignore_label_id),
        identifiers=files.identifiers().astype(np.int32),
        rating=_rating(files),
    )


def _sound(path: Path, split: str, limit: int | None = None) -> SplitFiles:
    """The files of a split without faults; of the tokens, only the first `limit` examples are looked at."""
    path = Path(path)
    expect_folder(path)
    files = SplitFiles.open(path / split)
    faults = files.problems(limit)
    if faults:
        more = f" (and {len(faults) - 3} more; see `hrm data check {path}`)" if len(faults) > 3 else ""
        raise DataError("; ".join(faults[:3]) + more)
    return files


def _rating(files: SplitFiles, limit: int | None = None) -> npt.NDArray[np.int64]:
    if files.rating is None:
        return np.full(len(files.rows("inputs", limit)), UNRATED, np.int64)
    return files.rating[:limit].astype(np.int64)


def load(path: Path) -> Split:
    """Both splits and the protocol of a data set, in memory.

    Raises:
        DataError: as `read` and `stored`.
    """
    return Split(train=read(path, "train"), test=read(path, "test"), protocol=stored(path).protocol)


def names(path: Path) -> list[str]:
    """The name of each puzzle identifier, the blank first.

    Raises:
        DataError: `identifiers.json` is missing or is no list.
    """
    found = load_json(Path(path) / IDENTIFIERS)
    if not isinstance(found, list):
        raise DataError(f"{Path(path) / IDENTIFIERS} is not a list of names")
    return [str(name) for name in found]


def _check(name: str, examples: Examples, spec: TaskSpec) -> None:
    """That arrays in memory fit the task, before anything is written.

    Raises:
        DataError: naming the first misfit.
    """
    shape = (len(examples.inputs), spec.seq_len)
    for what in ("inputs", "labels"):
        if getattr(examples, what).shape != shape:
            raise DataError(f"{name} {what} have shape {getattr(examples, what).shape}, wanted {shape}")
    for what in ("identifiers", "rating"):
        if getattr(examples, what).shape != shape[:1]:
            raise DataError(f"{name} {what} has shape {getattr(examples, what).shape}, wanted {shape[:1]}")
    labels = np.where(examples.labels == IGNORE, spec.pad_id, examples.labels)
    for what, tokens, size in (
        ("inputs", examples.inputs, spec.vocab_size),
        ("labels", labels, spec.vocab_size),
        ("identifiers", examples.identifiers, spec.num_identifiers),
    ):
        bad = (tokens < 0) | (tokens >= size)
        if bad.any():
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            raise DataError(f"{name} {what}{list(where)} is {tokens[where]}, wanted 0 to {size - 1}")


def _check_names(identifiers: Sequence[str], spec: TaskSpec) -> None:
    if len(identifiers) != spec.num_identifiers:
        raise DataError(f"{len(identifiers)} identifier names for {spec.num_identifiers} identifiers of the task")


def _arrays(
    name: str, examples: Examples, spec: TaskSpec, groups: npt.ArrayLike | None
) -> tuple[Metadata, dict[str, Array]]:
    count = len(examples)
    group = np.zeros(count, np.int64) if groups is None else np.asarray(groups)
    if group.shape != (count,):
        raise DataError(f"{name} groups have shape {group.shape}, wanted {(count,)}")
    ids = np.asarray(examples.identifiers)
    # Examples under the blank identifier are puzzles of their own; under any other, neighbours form one puzzle.
    starts = np.ones(count, bool)
    starts[1:] = (ids[1:] == 0) | (ids[1:] != ids[:-1]) | (group[1:] != group[:-1])
    first = np.flatnonzero(starts)
    begins = np.ones(len(first), bool)
    if groups is not None:
        begins[1:] = group[first[1:]] != group[first[:-1]]
        if begins.sum() != len(np.unique(group)):
            raise DataError(f"{name} groups are scattered; order the examples so that each group stands together")
    stored_type = np.uint8 if spec.vocab_size <= 256 else np.uint16 if spec.vocab_size <= 65536 else np.int32
    labels = np.where(examples.labels == IGNORE, spec.pad_id, examples.labels)
    values: tuple[Array, ...] = (
        examples.inputs.astype(stored_type),
        labels.astype(stored_type),
        ids[first].astype(np.int32),
        np.append(first, count).astype(np.int32),
        np.append(np.flatnonzero(begins), len(first)).astype(np.int32),
    )
    metadata = Metadata(
        pad_id=spec.pad_id,
        ignore_label_id=spec.pad_id,
        blank_identifier_id=0,
        vocab_size=spec.vocab_size,
        seq_len=spec.seq_len,
        num_puzzle_identifiers=spec.num_identifiers,
        total_groups=int(begins.sum()),
        mean_puzzle_examples=count / len(first) if count else 0.0,
        sets=("all",),
    )
    arrays = {f"all__{part}.npy": value for part, value in zip(FIELDS, values, strict=True)}
    return metadata, arrays | {RATING: np.asarray(examples.rating, np.int64)}
