"""Distinct puzzles in two sets that share none, not even in another guise."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from hrmlab.errors import DataError
from hrmlab.tasks.base import Examples
from hrmlab.tasks.sudoku.engine import Counts, Engine, Grids, Made, Wishes

Progress = Callable[[int], None]
_CHUNK = {"c++": 64, "python": 8}
_BARREN = 5000  # so many puzzles in a row without a new one: the supply is taken to be exhausted


class Sieve:
    """Keeps the first puzzle of each kind that it sees.

    up_to_symmetry: two puzzles are of one kind if a symmetry turns one into the other; else only if they are equal.
    """

    def __init__(self, engine: Engine, up_to_symmetry: bool) -> None:
        self._engine = engine
        self._up_to_symmetry = up_to_symmetry
        self._seen: set[bytes] = set()

    def fresh(self, puzzles: Grids) -> list[int]:
        """The rows that are new, in order; from now on they are known."""
        forms = self._engine.canonical(puzzles) if self._up_to_symmetry else puzzles
        rows = []
        for row, form in enumerate(forms):
            key = form.tobytes()
            if key not in self._seen:
                self._seen.add(key)
                rows.append(row)
        return rows


def distinct(engine: Engine, n: int, seed: int, wishes: Wishes, sieve: Sieve, progress: Progress | None) -> Examples:
    """The first n puzzles of a seed that pass the sieve; the same for any number of threads.

    Raises:
        DataError: no puzzle meets the wishes, or there are fewer than n.
    """
    kept: list[tuple[Grids, Grids, Counts]] = []
    have = barren = first = 0
    while have < n:
        batch = max(n - have, _CHUNK[engine.name])
        for made in _in_chunks(engine, batch, seed, first, wishes):
            _all_made(engine, made, wishes)
            rows = sieve.fresh(made.puzzles)[: n - have]
            kept.append((made.puzzles[rows], made.solutions[rows], made.ratings[rows]))
            have += len(rows)
            barren = 0 if rows else barren + len(made.puzzles)
            if progress:
                progress(len(rows))
            if have == n:
                break
            if barren >= _BARREN:
                raise DataError(
                    f"only {have} distinct {engine.board} Sudoku puzzles ({_words(wishes)}) were found where {n} are "
                    f"wanted; ask for fewer, widen givens or rating, or take a larger board"
                )
        first += batch
    return _examples(engine, kept)


def _in_chunks(engine: Engine, n: int, seed: int, first: int, wishes: Wishes) -> Iterator[Made]:
    """Puzzles first .. first + n - 1 in order, made by as many threads as there are processors where that helps."""
    size = _CHUNK[engine.name]
    pieces = [(min(size, first + n - start), start) for start in range(first, first + n, size)]
    if engine.name == "python" or len(pieces) == 1:
        for count, start in pieces:
            yield engine.generate(count, seed, start, wishes)
        return
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(lambda piece: engine.generate(piece[0], seed, piece[1], wishes), pieces)
        finally:
            pool.shutdown(cancel_futures=True)


def _all_made(engine: Engine, made: Made, wishes: Wishes) -> None:
    if (made.ratings < 0).any():
        raise DataError(
            f"no {engine.board} Sudoku with {_words(wishes)} was found in a thousand attempts; "
            f"ask for more givens or a wider band of ratings"
        )


def _words(wishes: Wishes) -> str:
    givens = "minimal" if wishes.givens is None else f"{wishes.givens} givens"
    return f"{givens}, {wishes.band()}" if wishes.band() else givens


def _examples(engine: Engine, kept: list[tuple[Grids, Grids, Counts]]) -> Examples:
    empty = np.zeros((0, engine.board.cells), np.int8)
    puzzles = np.concatenate([empty, *(part[0] for part in kept)])
    solutions = np.concatenate([empty, *(part[1] for part in kept)])
    ratings = np.concatenate([np.zeros(0, np.int64), *(part[2] for part in kept)])
    return Examples(
        inputs=puzzles.astype(np.int32) + 1,
        labels=solutions.astype(np.int32) + 1,
        identifiers=np.zeros(len(puzzles), np.int32),
        rating=ratings,
    )
