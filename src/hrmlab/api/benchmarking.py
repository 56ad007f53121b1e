"""`bench`: how fast each engine trains and answers, beside the others, and what that is of what the machine can do."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from hrmlab.analysis.machine import disturbances, look
from hrmlab.analysis.products import products
from hrmlab.api.explaining import explain as explained
from hrmlab.api.measuring import INFER, ONE_FORWARD, TRAIN, inference, names_of, prepare, training
from hrmlab.api.settings import Threads, choose_device, use_threads, versions
from hrmlab.core.eager import Reference
from hrmlab.reports.bench import regressions, write_bench
from hrmlab.results import Bench, EngineTiming
from hrmlab.terminal import Meter

SAME = 0.005
"""Accuracy within which two engines answer equally well."""


def bench(
    target: str | Path,
    overrides: Sequence[str] = (),
    *,
    engines: str | None = None,
    seconds: float = 20.0,
    against: str | Path | None = None,
    explain: bool = False,
    out: str | Path | None = None,
    device: str = "auto",
    threads: Threads = None,
    quiet: bool = False,
) -> Bench:
    """Measure engines on a model, interleaved.

    Training steps run on random tokens. Answers need trained weights: a run or a shipped model, `model` not overridden;
    there the reference gives every puzzle 16 segments (or `evaluation.max_segments`, if less) and the others go by the
    run's own rule. Without weights, one segment of a full batch is timed.

    Args:
        engines: names with commas between; None for all that work here.
        seconds: to measure for, in each of the comparisons; compiling is not counted.
        against: a file written by an earlier call, to look for regressions.
        out: a folder for the history: JSON, and a roofline figure where matplotlib is installed.

    Raises:
        ConfigError, CheckpointError, DataError: what cannot be used, and what to type.
    """
    use_threads(threads, quiet)
    work = prepare(target, overrides, choose_device(device), seconds)
    names = names_of(engines, work.model)
    earlier = regressions(against) if against is not None else None
    with Meter(f"measuring {work.config.name}", quiet) as meter:
        before = look(work.device)
        meter.update(0.1, "training steps")
        timings = training(work, names)
        meter.update(0.5, "answers")
        timings += inference(work, names)
        meter.update(0.8, "matrix products")
        alone = products(work.model, work.batch, min(seconds, 5.0))
        after = look(work.device)
        meter.update(0.9, "memory")
        rows = [work.finished(timing, before) for timing in timings]
    why = disturbances(before, after)
    result = Bench(
        name=work.config.name,
        engines=rows,
        ratio_to_reference=_ratios(rows, bool(why)),
        noisy=bool(why),
        why=why,
        machine={
            "peak": max(before.peak, after.peak), "bandwidth": before.bandwidth, "threads": before.threads,
            "flops": {str(side): flops for side, flops in before.flops.items()},
        },
        roofline=[asdict(product) for product in alone],
        regressions=[],
        explanation=explained(work.model, work.batch) if explain else [],
        protocol={
            "when": datetime.now(UTC).isoformat(timespec="seconds"), "device": str(work.device), "dtype": "float32",
            "versions": versions(), "batch_size": work.config.training.batch_size, "length": work.cost.positions,
            "overrides": list(overrides), "seconds": seconds, "trained": work.trained,
            "puzzles": len(work.examples) if work.examples is not None else 0,
        },
    )  # fmt: skip
    if earlier is not None:
        result = earlier(result)
    return write_bench(result, Path(out)) if out is not None else result


def _ratios(timings: list[EngineTiming], noisy: bool) -> dict[str, float | None]:
    """The reference's time over the fastest of the others that answer as well; on a noisy machine nothing is claimed.

    One forward pass is compared with the reference's ordinary step, which it is to replace.
    """
    bases = {timing.mode: timing for timing in timings if timing.name == Reference.name}
    ratios: dict[str, float | None] = {TRAIN: None, ONE_FORWARD: None, INFER: None}
    for mode in ratios:
        base = bases.get(TRAIN if mode == ONE_FORWARD else mode)
        others = [t for t in timings if t.mode == mode and t.name != Reference.name]
        if base is not None and not noisy and (good := [t for t in others if _as_good(t, base)]):
            ratios[mode] = base.step_ms["median"] / min(t.step_ms["median"] for t in good)
    return ratios


def _as_good(timing: EngineTiming, base: EngineTiming) -> bool:
    return timing.exact is None or base.exact is None or timing.exact >= base.exact - SAME
