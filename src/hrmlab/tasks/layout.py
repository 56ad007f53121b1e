"""Names and files of the data-set layout that the reference implementations read.

    train|test/dataset.json                  sizes of the split (`Metadata`)
    train|test/<set>__inputs.npy             (examples, seq_len) token ids
    train|test/<set>__labels.npy             (examples, seq_len) token ids
    train|test/<set>__puzzle_identifiers.npy (puzzles,) row of the puzzle table, 0 = blank
    train|test/<set>__puzzle_indices.npy     (puzzles + 1,) where each puzzle starts among the examples
    train|test/<set>__group_indices.npy      (groups + 1,) where each group starts among the puzzles
    identifiers.json                         the name of each identifier
    test_puzzles.json                        ARC alone: the held-out puzzles as they were, by name, for the voting

A puzzle is all examples of one identifier entry; a group is a puzzle and its augmentations. Ours alone, which the
reference ignores: `hrmlab.json` at the root and `rating.npy` in each split.
"""

import dataclasses
import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.config import decode
from hrmlab.errors import ConfigError, DataError
from hrmlab.reading import is_name, kind, read_json
from hrmlab.registry import Strict

Array = npt.NDArray[Any]

SPLITS = ("train", "test")
FIELDS = ("inputs", "labels", "puzzle_identifiers", "puzzle_indices", "group_indices")
OURS = "hrmlab.json"
RATING = "rating.npy"
IDENTIFIERS = "identifiers.json"
TEST_PUZZLES = "test_puzzles.json"
BLANK = "<blank>"


@dataclass(frozen=True)
class Metadata(Strict):
    """One split's `dataset.json`, under the reference's own field names.

    ignore_label_id: the token that stands for "not scored" in the labels on disk, or None for no such token.
    """

    pad_id: int
    ignore_label_id: int | None
    blank_identifier_id: int
    vocab_size: int
    seq_len: int
    num_puzzle_identifiers: int
    total_groups: int
    mean_puzzle_examples: float
    sets: tuple[str, ...]


def load_json(file: Path) -> Any:
    """Parsed JSON of a file.

    Raises:
        DataError: the file is missing, unreadable, or not JSON.
    """
    try:
        return read_json(file)
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{file} is not JSON: {error}") from None


def load_metadata(folder: Path) -> Metadata:
    """The `dataset.json` of a split's folder. Keys that the reference does not know either are ignored.

    Raises:
        DataError: the file is missing, is not JSON, or a field is missing or of the wrong type.
    """
    file = folder / "dataset.json"
    data = load_json(file)
    if not isinstance(data, dict):
        raise DataError(f"{file} holds {kind(data)}, wanted an object with seq_len, vocab_size, sets, ...")
    known = {f.name for f in dataclasses.fields(Metadata)}
    try:
        found = decode(Metadata, {key: value for key, value in data.items() if key in known}, str(file))
    except ConfigError as error:
        raise DataError(str(error)) from None
    for name in found.sets:
        if not is_name(name):
            raise DataError(f"{file} names the set '{name}', which is no part of a file's name; wanted e.g. all")
    return found


def load_array(file: Path) -> Array:
    """An integer array, memory-mapped read-only; objects are never unpickled.

    Raises:
        DataError: the file is missing, truncated, no npy file, or holds anything but integers.
    """
    try:
        if file.stat().st_size == 0:
            raise DataError(f"{file} is empty, wanted an npy array")
        array: Array = np.lib.format.open_memmap(file, mode="r")
    except OSError as error:
        raise DataError(f"cannot read {file}: {error.strerror or error}") from None
    except DataError:
        raise
    except (
        Exception
    ) as error:  # a damaged header surfaces as ValueError, SyntaxError, struct.error, tokenize errors ...
        raise DataError(f"{file} is not a readable npy array: {error}") from None
    if array.dtype.kind not in "iu":
        raise DataError(f"{file} holds {array.dtype}, wanted integers")
    return array


def save_array(file: Path, array: Array) -> None:
    """Write an npy file. Unlike `numpy.save`, a failed write keeps its errno, so that a full disk is known as one."""
    array = np.ascontiguousarray(array)
    with file.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, np.lib.format.header_data_from_array_1_0(array))
        if array.size:
            out.write(array.data.cast("B"))


@contextmanager
def array_file(file: Path, shape: tuple[int, ...], dtype: npt.DTypeLike) -> Iterator[Callable[[Array], None]]:
    """Write an npy file block by block, for arrays that should not be held in memory: call what comes with each block
    of rows. When the block ends well, all rows must have been written."""
    with file.open("wb") as out:
        kind = np.dtype(dtype)
        header = {"shape": shape, "fortran_order": False, "descr": np.lib.format.dtype_to_descr(kind)}
        np.lib.format.write_array_header_1_0(out, header)
        rows = 0

        def write(block: Array) -> None:
            nonlocal rows
            assert block.shape[1:] == shape[1:] and block.dtype == kind, (block.shape, block.dtype)
            rows += len(block)
            if block.size:
                out.write(np.ascontiguousarray(block).data.cast("B"))

        yield write
        assert rows == shape[0], f"{rows} of {shape[0]} rows written"


def save_json(file: Path, data: Any) -> None:
    file.write_text(json.dumps(data, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def atomic_folder(path: Path, *, replace: bool) -> Iterator[Path]:
    """A new folder next to `path`, renamed to `path` when the block ends well and removed when it does not.

    Raises:
        DataError: `path` is taken (see `check_free`), or the disk is full or refuses to be written.
    """
    path = path.resolve()
    check_free(path, replace=replace)
    suffix = f"{os.getpid()}-{secrets.token_hex(4)}"
    draft, old = path.with_name(f".{path.name}.{suffix}.new"), path.with_name(f".{path.name}.{suffix}.old")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        if path.exists():
            path.rename(old)
        try:
            draft.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"no space left for {path}; nothing was written: free some space, ask for fewer examples, "
                "or choose another place with --out"
            ) from None
        raise DataError(f"cannot write {path}: {error.strerror or error}; nothing was written") from None
    finally:
        with suppress(OSError):
            shutil.rmtree(draft)


def check_free(path: Path, *, replace: bool) -> None:
    """That a data set may be written at `path`.

    Raises:
        DataError: something is there that is no data set of ours, or it is one and `replace` is false.
    """
    if not path.exists():
        return
    if not path.is_dir():
        raise DataError(f"{path} is a file, wanted a folder to write a data set in; choose another --out")
    if not any(path.iterdir()):
        return
    if not (path / OURS).is_file():
        raise DataError(f"{path} is not empty and was not written by hrm; choose another --out or remove it yourself")
    if not replace:
        raise DataError(f"{path} holds a data set already; choose another --out, or pass --replace to overwrite it")
