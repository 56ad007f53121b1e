"""`data build`, `data check`, `data show`."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.errors import ConfigError
from hrmlab.results import DataCheck, DataView

if TYPE_CHECKING:
    from rich.console import Console


def build(options: Namespace) -> Outcome:
    if options.out is None:
        raise ConfigError("no place for the data set came; wanted --out DIR")
    result = api.data_build(
        options.task,
        getattr(options, "key=value"),
        out=options.out,
        train=options.train,
        test=options.test,
        csv=options.csv,
        hub=options.hub,
        augmentations=options.augmentations,
        symmetries=options.symmetries,
        replace=options.replace,
        seed=options.seed or 0,
        quiet=options.quiet,
    )

    def show(to: "Console") -> None:
        say(to, f"{result.path}: {result.train} training and {result.test} held-out puzzles in {result.seconds:.1f} s")
        say(to, result.protocol)
        say(to, f"next: hrm data show {result.path}")

    return Outcome(result, show, writes_out=True)


def check(options: Namespace) -> Outcome:
    result = api.data_check(options.dir)
    return Outcome(result, lambda to: _check(to, result), int(not result.ok))


def show(options: Namespace) -> Outcome:
    result = api.data_show(options.dir, split=options.split, n=options.n)
    return Outcome(result, lambda to: _show(to, result))


def _check(to: "Console", result: DataCheck) -> None:
    for problem in result.problems:
        say(to, problem)
    say(to, f"{result.path}: " + ("sound" if result.ok else f"{len(result.problems)} problems"))


def _show(to: "Console", result: DataView) -> None:
    from rich.columns import Columns
    from rich.text import Text

    say(to, result.protocol)
    for number, puzzle in enumerate(result.puzzles, 1):
        rating = "" if puzzle["rating"] is None else f", rating {puzzle['rating']}"
        say(to, f"\n{result.split} {number}{rating}")
        boards = [Text.from_markup(puzzle[key]) for key in ("drawing", "answer")]
        to.print(Columns(boards, padding=(0, 4)))
