"""How many threads to compute with: as many as are worth it at the moment, by a product of the size that models have.

On a machine that does something else, a product cut into equal parts waits for the part on the busy core: more threads
are then slower.
"""

import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

import torch

from hrmlab.config import decode
from hrmlab.core.weights import write_atomically
from hrmlab.errors import CheckpointError
from hrmlab.reading import read_json

ROWS, WIDTH, HIDDEN = 1024, 128, 256
"""Of the product: a batch of 12 boards of 81 cells through a linear map of a small model."""
SECONDS, ROUNDS = 0.2, 9
"""The measurement ends after so long, or after so many rounds."""
WORTH = 0.9
"""More threads are taken where they need less than this share of the time of fewer."""
FRESH = 60.0
"""Seconds for which a measurement is remembered: what else the machine does changes."""


@dataclass(frozen=True)
class Threads:
    """count: chosen. seconds: median time of the product by number of threads; empty where there is no choice."""

    count: int
    seconds: dict[int, float]

    @property
    def why(self) -> str:
        """In a line."""
        if not self.seconds:
            return "one thread is all there is"
        times = ", ".join(f"{1e3 * seconds:.1f} ms with {count}" for count, seconds in sorted(self.seconds.items()))
        return f"a matrix product takes {times}"


def choose(most: int, folder: Path) -> Threads:
    """The number of threads up to `most` that is worth it, measured less than a minute ago or now.

    Args:
        folder: where the measurement is remembered.
    """
    if most < 2:
        return Threads(1, {})
    place = folder / f"{platform.node() or 'here'}-{most}.json"
    if (known := _recalled(place)) is not None:
        return known
    seconds = measured(_counts(most))
    found = Threads(fewest(seconds), seconds)
    _remember(place, found)
    return found


def _counts(most: int) -> list[int]:
    """1, 2, 4, ... and the most itself."""
    return [*(2**power for power in range(most.bit_length()) if 2**power < most), most]


def measured(counts: list[int]) -> dict[int, float]:
    """Median seconds of the product by number of threads, interleaved; a quarter of a second in all, or less."""
    left, right = torch.ones(ROWS, WIDTH), torch.ones(WIDTH, HIDDEN)
    found: dict[int, list[float]] = {count: [] for count in counts}
    until = time.perf_counter() + SECONDS
    for number in range(ROUNDS + 1):
        for count in counts:
            with using(count):
                start = time.perf_counter()
                torch.mm(left, right)
                found[count].append(time.perf_counter() - start)
        if number > 1 and time.perf_counter() > until:
            break
    return {count: median(times[1:]) for count, times in found.items()}  # the first round starts the threads


def fewest(seconds: dict[int, float]) -> int:
    """The number of threads, each step up being worth it."""
    best, *more = sorted(seconds)
    for count in more:
        if seconds[count] < WORTH * seconds[best]:
            best = count
    return best


@contextmanager
def using(count: int) -> Iterator[None]:
    """With so many threads of torch."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _recalled(place: Path) -> Threads | None:
    try:
        if not 0 <= time.time() - place.stat().st_mtime < FRESH:
            return None
        found = decode(Threads, read_json(place))
        return found if 1 <= found.count <= (os.cpu_count() or 1) else None
    except (OSError, ValueError):
        return None


def _remember(place: Path, found: Threads) -> None:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, json.dumps(asdict(found)).encode())
    except (OSError, CheckpointError):
        return  # a cache that cannot be written costs time, nothing else
