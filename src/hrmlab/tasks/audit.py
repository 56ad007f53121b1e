"""What is wrong with a data set on disk: every problem at once, each naming its file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hrmlab.errors import DataError
from hrmlab.tasks.base import Task
from hrmlab.tasks.layout import (
    FIELDS,
    IDENTIFIERS,
    OURS,
    RATING,
    SPLITS,
    Array,
    Metadata,
    load_array,
    load_json,
    load_metadata,
)
from hrmlab.tasks.stored import task_of

# Rows looked at in one go: keeps the copies of a memory-mapped data set small.
CHUNK = 8192


@dataclass(frozen=True, eq=False)
class SplitFiles:
    """The files of one split, opened and not yet trusted.

    sets: for each set that dataset.json names, its arrays by field name; memory-mapped.
    unreadable: what could not be opened. While there is any, only `problems` may be asked.
    """

    folder: Path
    metadata: Metadata
    sets: dict[str, dict[str, Array]]
    rating: Array | None
    unreadable: tuple[str, ...]

    @classmethod
    def open(cls, folder: Path) -> "SplitFiles":
        """Open what can be opened.

        Raises:
            DataError: there is no usable dataset.json.
        """
        metadata = load_metadata(folder)
        unreadable: list[str] = []
        sets: dict[str, dict[str, Array]] = {}
        for name in metadata.sets:
            sets[name] = {}
            for part in FIELDS:
                try:
                    sets[name][part] = load_array(folder / f"{name}__{part}.npy")
                except DataError as error:
                    unreadable.append(str(error))
        rating = None
        if (folder / RATING).exists() or (folder.parent / OURS).exists():
            try:
                rating = load_array(folder / RATING)
            except DataError as error:
                unreadable.append(str(error))
        return cls(folder, metadata, sets, rating, tuple(unreadable))

    def rows(self, part: str, limit: int | None = None) -> Array:
        """Rows of a field over all sets, at most `limit` of the first."""
        arrays = [arrays[part] for arrays in self.sets.values()]
        return arrays[0][:limit] if len(arrays) == 1 else np.concatenate(arrays)[:limit]

    def identifiers(self) -> Array:
        """The puzzle identifier of each example, shape (examples,)."""
        return np.concatenate(
            [np.repeat(a["puzzle_identifiers"], np.diff(a["puzzle_indices"])) for a in self.sets.values()]
        )

    def problems(self, limit: int | None = None) -> list[str]:
        """Every inconsistency within this split; of the tokens, only the first `limit` examples are looked at."""
        if self.unreadable:
            return list(self.unreadable)
        meta, found = self.metadata, []
        where = self.folder / "dataset.json"
        if not self.sets:
            found.append(f'{where} names no sets, wanted ["all"]')
        if meta.pad_id != 0 or meta.blank_identifier_id != 0:
            found.append(
                f"{where} has pad_id {meta.pad_id} and blank_identifier_id {meta.blank_identifier_id}, wanted 0 and 0"
            )
        for name, arrays in self.sets.items():
            found += _shapes(self.folder / name, arrays, meta) or _contents(self.folder / name, arrays, meta, limit)
        if found:
            return found
        groups = sum(len(arrays["group_indices"]) - 1 for arrays in self.sets.values())
        puzzles = sum(len(arrays["puzzle_identifiers"]) for arrays in self.sets.values())
        examples = sum(len(arrays["inputs"]) for arrays in self.sets.values())
        if groups != meta.total_groups:
            found.append(f"{where} says total_groups {meta.total_groups}, the files hold {groups}")
        mean = examples / puzzles if puzzles else 0.0
        if abs(mean - meta.mean_puzzle_examples) > 1e-6 * max(1.0, mean):
            found.append(f"{where} says mean_puzzle_examples {meta.mean_puzzle_examples}, the files hold {mean}")
        if self.rating is not None and self.rating.shape != (examples,):
            found.append(f"{self.folder / RATING} has shape {self.rating.shape}, wanted {(examples,)}")
        return found


def problems(path: Path) -> list[str]:
    """Every problem found in a data set: files, shapes, ranges, answers that break the task's rules, leaks from train
    to test. An empty list means it is sound. Never raises for what it finds on disk."""
    path = Path(path)
    if not path.is_dir():
        return [f"no data set at {path}: wanted a folder with train/ and test/"]
    found: list[str] = []
    splits: dict[str, SplitFiles] = {}
    for name in SPLITS:
        try:
            files = SplitFiles.open(path / name)
        except DataError as error:
            found.append(str(error))
            continue
        faults = files.problems()
        found += faults
        if not faults:
            splits[name] = files
    found += _names(path, splits)
    task: Task | None = None
    try:
        task = task_of(path)
    except DataError as error:
        if str(error) not in found:
            found.append(str(error))
    for files in splits.values():
        if task is not None:
            found += _sizes(files, task) or _answers(files, task)
    return found + (_leaks(splits["train"], splits["test"]) if len(splits) == 2 else [])


def _shapes(stem: Path, arrays: dict[str, Array], meta: Metadata) -> list[str]:
    found = []
    for part in ("inputs", "labels"):
        if arrays[part].ndim != 2 or arrays[part].shape[1] != meta.seq_len:
            wanted = f"(examples, {meta.seq_len}) as seq_len in dataset.json says"
            found.append(f"{stem}__{part}.npy has shape {arrays[part].shape}, wanted {wanted}")
    found += [
        f"{stem}__{part}.npy has shape {arrays[part].shape}, wanted one dimension"
        for part in FIELDS[2:]
        if arrays[part].ndim != 1
    ]
    if found:
        return found
    examples, puzzles = len(arrays["inputs"]), len(arrays["puzzle_identifiers"])
    if len(arrays["labels"]) != examples:
        found.append(f"{stem}__labels.npy has {len(arrays['labels'])} examples, inputs have {examples}")
    if len(arrays["puzzle_indices"]) != puzzles + 1:
        found.append(
            f"{stem}__puzzle_indices.npy has {len(arrays['puzzle_indices'])} entries, "
            f"wanted {puzzles + 1}: one more than puzzle_identifiers"
        )
    for part, total, of in (("puzzle_indices", examples, "examples"), ("group_indices", puzzles, "puzzles")):
        offsets = np.asarray(arrays[part], np.int64)
        if len(offsets) == 0 or offsets[0] != 0:
            found.append(f"{stem}__{part}.npy does not start at 0")
        elif offsets[-1] != total:
            found.append(f"{stem}__{part}.npy ends at {offsets[-1]}, wanted {total}, the number of {of}")
        backwards = np.flatnonzero(np.diff(offsets) <= 0)
        if len(backwards):
            at = int(backwards[0])
            found.append(f"{stem}__{part}.npy does not rise: {offsets[at]} then {offsets[at + 1]} at entry {at + 1}")
    return found


def _contents(stem: Path, arrays: dict[str, Array], meta: Metadata, limit: int | None) -> list[str]:
    found = []
    for part, size, name in (
        ("inputs", meta.vocab_size, "vocab_size"),
        ("labels", meta.vocab_size, "vocab_size"),
        ("puzzle_identifiers", meta.num_puzzle_identifiers, "num_puzzle_identifiers"),
    ):
        count, first = 0, ""
        for start, rows in _chunks(arrays[part][:limit]):
            bad = (rows < 0) | (rows >= size)
            if part == "labels" and meta.ignore_label_id is not None:
                bad &= rows != meta.ignore_label_id
            if bad.any():
                at = np.argwhere(bad)[0]
                first = first or f"{rows[tuple(at)]} at {[start + int(at[0]), *map(int, at[1:])]}"
                count += int(bad.sum())
        if count:
            found.append(f"{stem}__{part}.npy has {count} entries outside 0..{size - 1} ({name}), first {first}")
    return found


def _names(path: Path, splits: dict[str, SplitFiles]) -> list[str]:
    file = path / IDENTIFIERS
    try:
        names = load_json(file)
    except DataError as error:
        return [str(error)]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return [f"{file} is not a list of names"]
    counts = {name: files.metadata.num_puzzle_identifiers for name, files in splits.items()}
    return [
        f"{file} has {len(names)} names, {split}/dataset.json says num_puzzle_identifiers {count}"
        for split, count in counts.items()
        if count != len(names)
    ]


def _sizes(files: SplitFiles, task: Task) -> list[str]:
    spec, meta = task.spec(), files.metadata
    pairs = (
        ("seq_len", meta.seq_len, spec.seq_len),
        ("vocab_size", meta.vocab_size, spec.vocab_size),
        ("num_puzzle_identifiers", meta.num_puzzle_identifiers, spec.num_identifiers),
    )
    return [
        f"{files.folder / 'dataset.json'} says {name} {here}, its task '{task.kind}' has {there}"
        for name, here, there in pairs
        if here != there
    ]


def _answers(files: SplitFiles, task: Task) -> list[str]:
    wrong: list[int] = []
    inputs, labels = files.rows("inputs"), files.rows("labels")
    for start, rows in _chunks(inputs):
        answers = np.asarray(labels[start : start + len(rows)])
        ignored = files.metadata.ignore_label_id
        judged = np.ones(len(rows), bool) if ignored is None else (answers != ignored).all(1)
        good = task.valid(rows[judged].astype(np.int32), answers[judged].astype(np.int32))
        wrong += [start + int(i) for i in np.flatnonzero(judged)[~good]]
    if not wrong:
        return []
    some = ", ".join(map(str, wrong[:5])) + (", ..." if len(wrong) > 5 else "")
    return [f"{files.folder}: {len(wrong)} labels do not solve their inputs by the rules of '{task.kind}': rows {some}"]


def _leaks(train: SplitFiles, test: SplitFiles) -> list[str]:
    """Test examples whose input and identifier occur in training too."""
    known = np.unique(_hashes(train))
    rows = np.flatnonzero(np.isin(_hashes(test), known))
    if len(rows):  # equal hashes are looked at cell by cell
        here = _hashes(train)
        suspects = np.flatnonzero(np.isin(here, _hashes(test)[rows]))
        seen = set(_keys(train, suspects))
        rows = rows[[key in seen for key in _keys(test, rows)]]
    if not len(rows):
        return []
    some = ", ".join(map(str, rows[:5].tolist())) + (", ..." if len(rows) > 5 else "")
    return [f"{test.folder}: {len(rows)} of {len(test.rows('inputs'))} inputs occur in train too: rows {some}"]


def _hashes(files: SplitFiles) -> npt.NDArray[np.uint64]:
    """A number of 64 bits for each input with its identifier, shape (examples,): small where the inputs are not."""
    ids = files.identifiers().astype(np.uint64)
    factors = np.random.Philox(0).random_raw(files.metadata.seq_len + 1) | np.uint64(1)
    found = [rows.astype(np.uint64) @ factors[1:] for _, rows in _chunks(files.rows("inputs"))]
    hashes: npt.NDArray[np.uint64] = np.concatenate([np.zeros(0, np.uint64), *found]) + ids * factors[0]
    return hashes


def _keys(files: SplitFiles, rows: npt.NDArray[np.intp]) -> Iterator[tuple[int, bytes]]:
    """What tells some examples apart for certain."""
    ids, inputs = files.identifiers(), files.rows("inputs")
    return ((int(ids[row]), inputs[row].astype(np.int32).tobytes()) for row in rows)


def _chunks(array: Array) -> Iterator[tuple[int, Array]]:
    for start in range(0, len(array), CHUNK):
        yield start, np.asarray(array[start : start + CHUNK])
