"""What this machine can do at best, and whether it is doing something else at the moment."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from hrmlab.analysis.threads import using
from hrmlab.analysis.timing import Timing, interleaved

SIDES = (256, 512, 1024)
"""Square matrix products tried; the fastest is the peak."""
MEGABYTES = 64
"""Size of the block that is copied to measure the memory."""
OWN_SHARE, SPREAD, SPEED_UP = 0.9, 0.1, 1.2


@dataclass(frozen=True)
class Machine:
    """One look at the machine.

    flops: operations a second of the fastest float32 matrix product, by size of its side.
    bandwidth: bytes read and written a second by a large copy.
    threads: of torch.
    own: share of its threads' time that this process got while it multiplied matrices.
    spread: median distance from the median of a product's time, as a share.
    speed_up: of the largest product by all threads over one; None with one thread.
    """

    flops: dict[int, float]
    bandwidth: float
    threads: int
    own: float
    spread: float
    speed_up: float | None

    @property
    def peak(self) -> float:
        """Operations a second."""
        return max(self.flops.values())


def look(device: torch.device, seconds: float = 1.0) -> Machine:
    """Measure the machine; takes about `seconds` and a little more."""
    pairs = {side: torch.randn(2, side, side, device=device) for side in SIDES}
    block = torch.empty(MEGABYTES * 2**18, device=device)
    other = torch.empty_like(block)
    runs: dict[str, Callable[[], object]] = {str(side): partial(torch.matmul, *pair) for side, pair in pairs.items()}
    runs["copy"] = partial(other.copy_, block)
    for run in runs.values():
        run()
    found = interleaved(runs, seconds)
    threads, largest = torch.get_num_threads(), found[str(SIDES[-1])]
    return Machine(
        {side: 2 * side**3 / min(found[str(side)].wall) for side in SIDES},
        2 * block.nbytes / min(found["copy"].wall),
        threads,
        _own(largest, threads) if device.type == "cpu" else 1.0,
        largest.mad / largest.median,
        _speed_up(pairs[SIDES[-1]], largest) if device.type == "cpu" and threads > 1 else None,
    )


def _own(timing: Timing, threads: int) -> float:
    return min(1.0, sum(timing.busy) / (threads * sum(timing.wall)))


def _speed_up(pair: torch.Tensor, with_all: Timing) -> float:
    with using(1):
        alone = interleaved({"one": partial(torch.matmul, *pair)}, 0.0)["one"]
    return alone.median / with_all.median


def disturbances(before: Machine, after: Machine) -> list[str]:
    """Every reason not to believe times that were taken between two looks at the machine; empty if there is none."""
    reasons = []
    for machine in (before, after):
        if machine.own < OWN_SHARE:
            reasons.append(f"this process got {machine.own:.0%} of its {machine.threads} threads' time")
        if machine.spread > SPREAD:
            reasons.append(f"the same matrix product varied by {machine.spread:.0%}")
        if machine.speed_up is not None and machine.speed_up < SPEED_UP:
            reasons.append(
                f"{machine.threads} threads are {machine.speed_up:.2f} times as fast as one; use --threads 1"
            )
    slower, faster = sorted((before.peak, after.peak))
    if slower < (1 - SPREAD) * faster:
        reasons.append(f"the peak moved from {before.peak / 1e9:.0f} to {after.peak / 1e9:.0f} GFLOP/s meanwhile")
    return list(dict.fromkeys(reasons))
