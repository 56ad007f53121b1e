"""Time on the GPU: by its own events, in turns, and in CUDA graphs where launching would drown what is measured."""

import statistics
from collections.abc import Callable

import torch

ROUNDS = 20
Run = Callable[[], object]


def graphed(run: Run, calls: int) -> torch.cuda.CUDAGraph:
    """So many calls, captured; warmed up on a side stream, as capturing asks for."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            run()
    return graph


def interleaved(runs: dict[str, Run], rounds: int = ROUNDS) -> dict[str, tuple[float, float]]:
    """Median milliseconds of each run and its spread (quartiles, as a share of the median), taken in turns."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for round_ in range(rounds + 3):
        for name, run in runs.items():
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            begin.record()
            run()
            end.record()
            end.synchronize()
            if round_ >= 3:  # the first ones compile, allocate and wake the device
                times[name].append(begin.elapsed_time(end))
    found = {}
    for name, taken in times.items():
        low, median, high = statistics.quantiles(taken, n=4)
        found[name] = (median, (high - low) / median)
    return found
