"""`serve`: a server from the command line."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from hrmlab.cli.output import Outcome, say
from hrmlab.results import Serving

if TYPE_CHECKING:
    from rich.console import Console

USUAL = "sudoku-9x9"
"""The model that is served where none is named."""


def serve(options: Namespace) -> Outcome:
    from hrmlab.web.limits import Limits
    from hrmlab.web.protocol import Job
    from hrmlab.web.serving import serve

    job = Job(
        run=options.run or USUAL,
        halting=options.halting,
        engine=options.engine,
        device=options.device,
        threads=options.threads,
        slots=options.slots,
        imports=getattr(options, "import"),
    )
    result = serve(
        job,
        host=options.host,
        port=options.port,
        token_file=None if options.token_file is None else Path(options.token_file),
        runs=None if options.runs is None else Path(options.runs),
        processes=options.processes,
        limits=Limits(queue=options.queue, batch=options.batch, timeout=options.timeout),
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _serving(to, result))


def _serving(to: "Console", result: Serving) -> None:
    done = ", ".join(f"{count:,} {what}" for what, count in result.puzzles.items() if count) or "none"
    say(to, f"served for {result.seconds:.0f} s; puzzles: {done}")
