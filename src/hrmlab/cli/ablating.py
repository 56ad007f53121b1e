"""`ablate`: which arm is better, and how far that can be said."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.results import Study

if TYPE_CHECKING:
    from rich.console import Console

INCOMPLETE = 1


def ablate(options: Namespace) -> Outcome:
    result = api.ablate(
        options.study,
        getattr(options, "key=value"),
        quick=options.quick,
        jobs=options.jobs,
        engine=options.engine,
        seeds=options.seeds,
        first_seed=options.seed or 0,
        steps=options.steps,
        seconds=options.seconds,
        modules=getattr(options, "import"),
        device=options.device,
        out=options.out,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _shown(to, result), INCOMPLETE if result.missing else 0, writes_out=True)


def _shown(to: "Console", result: Study) -> None:
    from rich.table import Table
    from rich.text import Text

    first = result.table[0]
    table = Table("arm", "seeds", first.measure, "gain", "95% interval", "adjusted p", "operations", "verdict")
    for row in result.table:
        if (row.evaluation, row.measure) != (first.evaluation, first.measure):
            continue
        ends = "" if row.effect_interval is None else f"{row.effect_interval[0]:+.3g} to {row.effect_interval[1]:+.3g}"
        numbers = ["" if row.mean is None else f"{row.mean:.4g}", "" if row.effect is None else f"{row.effect:+.3g}"]
        p = "" if row.adjusted_p is None else f"{row.adjusted_p:.2g}"
        work = "" if row.flops_ratio is None else f"{row.flops_ratio:.2f}x"
        verdict = "reference" if row.arm == result.reference else row.decision or "missing"
        table.add_row(Text(row.arm), str(row.seeds), *numbers, ends, p, work, verdict)
    to.print(table)
    say(to, result.conclusion)
    page = next(file for file in result.files if file.endswith(".html"))
    say(to, f"all tables and figures: {page}")
    say(to, f"to repeat it: {result.command}")
    if result.missing:
        say(to, "to run what is missing, type the same command again")
