"""`tune`: what was found, and whether it is better."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.results import Tuning

if TYPE_CHECKING:
    from rich.console import Console


def tune(options: Namespace) -> Outcome:
    result = api.tune(
        options.task,
        getattr(options, "key=value"),
        trials=options.trials,
        seconds=options.seconds,
        steps=options.steps,
        max_params=options.max_params,
        max_flops=options.max_flops,
        max_latency_ms=options.max_latency_ms,
        max_memory_mb=options.max_memory_mb,
        jobs=options.jobs,
        engine=options.engine,
        seeds=options.seeds,
        storage=options.storage,
        modules=getattr(options, "import"),
        seed=options.seed or 0,
        out=options.out,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _tuning(to, result), writes_out=True)


def _tuning(to: "Console", result: Tuning) -> None:
    from rich.table import Table

    table = Table(title="trials that none beats in both accuracy and cost")
    for column in ("trial", "puzzles right", "operations for an answer", "what is not the preset's"):
        table.add_column(column)
    for trial in result.front:
        changes = ", ".join(f"{name} {value}" for name, value in trial["changes"].items())
        name = f"{trial['number']}{' (preset)' * trial['preset']}"
        table.add_row(name, f"{trial['exact']:.2%}", f"{trial['cost']:.3g}", changes)
    to.print(table)
    say(to, "trials: " + ", ".join(f"{count} {state}" for state, count in result.trials.items()))
    if result.importance:
        top = list(result.importance.items())[:5]
        say(to, "what decides: " + ", ".join(f"{name} {share:.0%}" for name, share in top))
    say(to, result.conclusion)
    say(to, f"all trials: {result.table}{f'; figure: {result.figure}' if result.figure else ''}")
    say(to, f"next: hrm train {result.config}")
