"""`solve`: puzzles from the command line, standard input or a file."""

import sys
from argparse import Namespace
from contextlib import nullcontext
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.cli.screen import Screen
from hrmlab.results import Solving

if TYPE_CHECKING:
    from rich.console import Console


def solve(options: Namespace) -> Outcome:
    stdin = sys.stdin.read() if "-" in options.puzzle else None
    with Screen(stderr=options.json) if options.show else nullcontext(None) as screen:
        result = api.solve(
            options.run,
            options.puzzle,
            jobs=options.jobs,
            stdin=stdin,
            out=options.out,
            show=screen,
            halting=options.halting,
            attempts=options.attempts,
            vary=options.vary,
            select=options.select,
            checkpoints=options.checkpoint,
            vector=options.vector,
            engine=options.engine,
            device=options.device,
            threads=options.threads,
            quiet=options.quiet,
        )
    return Outcome(result, lambda to: _solving(to, result), int(result.errors > 0), writes_out=True)


def _solving(to: "Console", result: Solving) -> None:
    for solution in result.results:
        if solution.error:
            say(to, f"error  {solution.error}")
        else:
            verdict = {True: "solved", False: "NOT solved", None: "answered"}[solution.solved]
            facts = f"{solution.segments} segments ({solution.reason}), confidence {solution.confidence:.0%}"
            say(to, f"{solution.output or '(no answer that can be written)'}  {verdict}, {facts}")
    if result.count > len(result.results):
        say(to, f"... and {result.count - len(result.results)} more in {result.out}")
    if result.count > 1:
        tried = result.count - result.errors
        unruled = any(one.solved is None and one.error is None for one in result.results)
        share = f"{tried} answered; whether rightly, no rule says" if unruled else f"{result.solved} of {tried} solved"
        say(to, f"{share}, {result.puzzles_per_second:.0f} puzzles a second")
