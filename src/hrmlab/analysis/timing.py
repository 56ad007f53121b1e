"""How long things take beside each other: interleaved, by medians, with what tells whether to believe it."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

import torch

LEAST_ROUNDS, MOST_ROUNDS = 3, 100


@dataclass(frozen=True)
class Timing:
    """Repeated runs of one thing. wall: seconds of each. busy: processor seconds of each, all threads together."""

    wall: tuple[float, ...]
    busy: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.wall)

    @property
    def mad(self) -> float:
        """Median distance from the median."""
        return median(abs(second - self.median) for second in self.wall)


def interleaved(runs: Mapping[str, Callable[[], object]], seconds: float) -> dict[str, Timing]:
    """Run each once a round, in an order that turns about, until their time is spent.

    What disturbs the machine then disturbs all of them, and none is always first.

    Args:
        seconds: for all together; no fewer than 3 rounds are run, no more than 100.
    """
    wall: dict[str, list[float]] = {name: [] for name in runs}
    busy: dict[str, list[float]] = {name: [] for name in runs}
    until, rounds = time.perf_counter() + seconds, 0
    while rounds < LEAST_ROUNDS or (rounds < MOST_ROUNDS and time.perf_counter() < until):
        order = list(runs)[:: 1 if rounds % 2 == 0 else -1]
        for name in order:
            start, worked = time.perf_counter(), time.process_time()
            runs[name]()
            _finish()
            wall[name].append(time.perf_counter() - start)
            busy[name].append(time.process_time() - worked)
        rounds += 1
    return {name: Timing(tuple(wall[name]), tuple(busy[name])) for name in runs}


def _finish() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def exponent(sizes: list[float], costs: list[float]) -> float:
    """The power by which costs grow with sizes: slope of the least-squares line through their logarithms."""
    x, y = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    middle, height = sum(x) / len(x), sum(y) / len(y)
    spread = sum((a - middle) ** 2 for a in x)
    return sum((a - middle) * (b - height) for a, b in zip(x, y, strict=True)) / spread
