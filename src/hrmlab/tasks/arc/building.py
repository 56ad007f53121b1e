"""From ARC puzzles to a data set on disk: variants, translations, and who may see what. Written as it is made.

Of puzzles in the held-out subset the demonstrations are trained on and the tests are held out; of all others every pair
is trained on. A group is a puzzle with its variants, and each of these has an identifier of its own. In training every
pair but one of each variant is moved to a random place on the board; test pairs stay in the corner.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hrmlab.config import encode
from hrmlab.errors import DataError
from hrmlab.tasks.arc.grids import CELLS, SIDE, Boards, place
from hrmlab.tasks.arc.source import Pair, Puzzle, read
from hrmlab.tasks.arc.variants import SYMMETRIES, Variants, choose, stream, turned
from hrmlab.tasks.layout import (
    BLANK,
    IDENTIFIERS,
    OURS,
    RATING,
    SPLITS,
    TEST_PUZZLES,
    Metadata,
    array_file,
    atomic_folder,
    save_array,
    save_json,
)
from hrmlab.tasks.stored import Stored

if TYPE_CHECKING:
    from hrmlab.tasks.arc.task import Arc

UNRATED = -1

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Built:
    """A data set that was written. train, test: examples; puzzles: without variants; identifiers: blank included."""

    train: int
    test: int
    puzzles: int
    identifiers: int
    protocol: str


@dataclass(frozen=True, eq=False)
class _Entry:
    """A puzzle with its variants, the first of which has identifier `first`."""

    puzzle: Puzzle
    variants: Variants
    first: int
    held_out: bool

    def pairs(self, split: str) -> tuple[Pair, ...]:
        if self.held_out:
            return self.puzzle.train if split == "train" else self.puzzle.test
        return self.puzzle.pairs if split == "train" else ()


def build(task: "Arc", path: Path, seed: int, *, replaces: bool = False, progress: Progress | None = None) -> Built:
    """Make the data set of a task; either all of it is there afterwards, or nothing.

    Memory is that of one puzzle's variants and of the names; the grids go to the disk as they are made.

    Args:
        replaces: overwrite a data set of ours at `path`.
        progress: told (puzzles done, puzzles to do), first while variants are drawn, then while they are written.

    Raises:
        DataError, MissingExtraError: as `source.read`; no puzzle is held out, too many are wanted, or the disk refuses.
    """
    puzzles, described = read(task.source)
    puzzles = _some(puzzles, task, seed)
    entries: list[_Entry] = []
    names = [BLANK]
    for puzzle in puzzles:
        variants = choose(puzzle, task.augmentations, seed)
        entries.append(_Entry(puzzle, variants, len(names), _is_held_out(puzzle, task)))
        names += variants.names(puzzle.name)
        if progress:
            progress(len(entries), 2 * len(puzzles))
    solved = replace(task, identifiers=len(names))
    protocol = _protocol(task, entries, described, seed)
    written = 0
    counts = []
    with atomic_folder(path, replace=replaces) as folder:
        for split in SPLITS:
            counts.append(_split(folder / split, split, entries, len(names), seed))
            written += len(entries)
            if progress:
                progress(len(entries) + written // 2, 2 * len(entries))
        save_json(folder / IDENTIFIERS, names)
        save_json(folder / TEST_PUZZLES, {e.puzzle.name: e.puzzle.plain() for e in entries if e.held_out})
        save_json(folder / OURS, encode(Stored(encode(solved), seed, protocol, RATING)))
    return Built(counts[0], counts[1], len(entries), len(names), protocol)


def boards(pairs: tuple[Pair, ...], variants: Variants, name: str, seed: int, *, moved: bool) -> tuple[Boards, Boards]:
    """Inputs and answers of all variants, shape (variants * pairs, 900) each: the pairs of the first variant, then ...

    Args:
        moved: put all pairs but one of each variant at a random place, the same for input and answer.
    """
    count, many = len(variants), len(pairs)
    words = stream(name, seed, 1).random_raw(count * (1 + 2 * many)).reshape(count, -1)
    stays = (words[:, :1] % np.uint64(many)).astype(np.int64) == np.arange(many)
    out = np.empty((2, count, many, CELLS), np.uint8)
    for symmetry in range(SYMMETRIES):
        rows = np.flatnonzero(variants.symmetries == symmetry)
        if not len(rows):
            continue
        colours = variants.colours[rows]
        for at, pair in enumerate(pairs):
            grids = [turned(grid, symmetry) for grid in pair]
            corner = []
            for axis in (0, 1):
                room = SIDE - max(grid.shape[axis] for grid in grids) + 1
                drawn = (words[rows, 1 + 2 * at + axis] % np.uint64(room)).astype(np.int64)
                corner.append(np.where(stays[rows, at] | (not moved), 0, drawn))
            for side, grid in enumerate(grids):
                out[side, rows, at] = place(colours[:, grid], *corner)
    return out[0].reshape(-1, CELLS), out[1].reshape(-1, CELLS)


def _is_held_out(puzzle: Puzzle, task: "Arc") -> bool:
    return fnmatchcase(puzzle.subset, task.held_out)


def _some(puzzles: list[Puzzle], task: "Arc", seed: int) -> list[Puzzle]:
    """`task.puzzles` of them by chance, held-out ones in proportion and at least one, in their order."""
    total = len(puzzles)
    held_out = [at for at, puzzle in enumerate(puzzles) if _is_held_out(puzzle, task)]
    if not held_out:
        subsets = ", ".join(sorted({puzzle.subset for puzzle in puzzles}))
        raise DataError(
            f"source={task.source} has no puzzles in a subset {task.held_out} to hold out; type held_out=NAME with one "
            f"of {subsets}, or held_out='*' for the tests of all puzzles"
        )
    if task.puzzles is None:
        return puzzles
    if task.puzzles > total:
        raise DataError(f"puzzles={task.puzzles}; source={task.source} has {total}")
    wanted = min(max(round(task.puzzles * len(held_out) / total), 1), len(held_out))
    others = sorted(set(range(total)) - set(held_out))
    chosen: list[int] = []
    for among, count in ((held_out, max(wanted, task.puzzles - len(others))), (others, task.puzzles - wanted)):
        order = sorted(among, key=lambda at: int(stream(puzzles[at].name, seed, 2).random_raw()))
        chosen += order[: max(count, 0)]
    return [puzzles[at] for at in sorted(chosen)]


def _split(folder: Path, split: str, entries: list[_Entry], identifiers: int, seed: int) -> int:
    """Write one split; the number of its examples."""
    folder.mkdir()
    mine = [(entry, entry.pairs(split)) for entry in entries]
    mine = [(entry, pairs) for entry, pairs in mine if pairs]
    sizes = [(len(entry.variants), len(pairs)) for entry, pairs in mine]
    examples, puzzles = sum(variants * pairs for variants, pairs in sizes), sum(variants for variants, _ in sizes)
    with ExitStack() as stack:
        writers = [
            stack.enter_context(array_file(folder / f"all__{part}.npy", (examples, CELLS), np.uint8))
            for part in ("inputs", "labels")
        ]
        for entry, pairs in mine:
            made = boards(pairs, entry.variants, entry.puzzle.name, seed, moved=split == "train")
            for write, block in zip(writers, made, strict=True):
                write(block)
    ids = [np.arange(entry.first, entry.first + len(entry.variants), dtype=np.int32) for entry, _ in mine]
    lengths = [np.full(variants, pairs) for variants, pairs in sizes]
    save_array(folder / "all__puzzle_identifiers.npy", np.concatenate(ids))
    save_array(folder / "all__puzzle_indices.npy", _offsets(np.concatenate(lengths)))
    save_array(folder / "all__group_indices.npy", _offsets(np.array([variants for variants, _ in sizes])))
    save_array(folder / RATING, np.full(examples, UNRATED, np.int64))
    metadata = Metadata(
        pad_id=0,
        ignore_label_id=0,
        blank_identifier_id=0,
        vocab_size=12,
        seq_len=CELLS,
        num_puzzle_identifiers=identifiers,
        total_groups=len(mine),
        mean_puzzle_examples=examples / puzzles,
        sets=("all",),
    )
    save_json(folder / "dataset.json", encode(metadata))
    return examples


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)


def _protocol(task: "Arc", entries: list[_Entry], described: str, seed: int) -> str:
    held_out = [entry.puzzle for entry in entries if entry.held_out]
    tests = sum(len(puzzle.test) for puzzle in held_out)
    variants = sum(len(entry.variants) - 1 for entry in entries)
    subset = "" if task.puzzles is None else f", {task.puzzles} puzzles of them chosen by seed {seed}"
    return (
        f"{described}{subset}; trained on all pairs of {len(entries) - len(held_out)} puzzles and the demonstrations "
        f"of {len(held_out)} puzzles of subset {task.held_out}, whose {tests} tests are held out; up to "
        f"{task.augmentations} variants of each (symmetry and colours; {variants} in all), an identifier each, "
        f"training pairs moved on the board, seed {seed}"
    )
