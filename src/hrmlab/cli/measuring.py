"""`bench`: engines beside each other."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.results import Bench

if TYPE_CHECKING:
    from rich.console import Console


def bench(options: Namespace) -> Outcome:
    result = api.bench(
        options.target,
        getattr(options, "key=value"),
        engines=options.engines,
        seconds=options.seconds,
        against=options.against,
        explain=options.explain,
        out=options.out,
        device=options.device,
        threads=options.threads,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _bench(to, result), int(bool(result.regressions)), writes_out=True)


def _bench(to: "Console", result: Bench) -> None:
    from rich.table import Table

    machine, protocol = result.machine, result.protocol
    threads = f"{machine['threads']} thread{'' if machine['threads'] == 1 else 's'}"
    title = f"{result.name}: batch {protocol['batch_size']}, {protocol['length']} positions, {threads}"
    table = Table("mode", "engine", "ms", "+-", "tokens/s", "of peak", "MB", "compiling", "exact", title=title)
    for timing in result.engines:
        step = timing.step_ms
        table.add_row(
            timing.mode,
            timing.name,
            f"{step['median']:,.1f}",
            f"{step['mad']:,.1f}",
            f"{timing.tokens_per_s:,.0f}",
            f"{timing.flops_share:.0%}",
            "" if timing.peak_mb is None else f"{timing.peak_mb:,.0f}",
            "" if timing.compile_s is None else f"{timing.compile_s:.0f} s",
            "" if timing.exact is None else f"{timing.exact:.1%} in {timing.mean_segments:.1f}",
        )
    to.print(table)
    say(to, f"peak: {machine['peak'] / 1e9:.1f} GFLOP/s in float32; copying: {machine['bandwidth'] / 1e9:.1f} GB/s")
    for mode, ratio in result.ratio_to_reference.items():
        if ratio is not None:
            say(to, f"{mode}: {ratio:.2f} times as fast as the reference engine")
    for reason in result.why:
        say(to, f"noisy: {reason}")
    if result.noisy:
        say(to, "the machine was too restless to claim a ratio; measure again when nothing else runs")
    for one in result.regressions:
        say(
            to,
            f"slower than before: {one['name']}, {one['mode']}: {one['before']:.0%} of the peak, now {one['now']:.0%}",
        )
    for line in result.explanation:
        say(to, line)
    if result.files:
        say(to, f"written: {', '.join(result.files)}")
