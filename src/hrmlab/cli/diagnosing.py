"""`diagnose`: findings first, then what was looked at."""

from argparse import Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hrmlab import api
from hrmlab.cli.output import Outcome, console, say
from hrmlab.results import Diagnosis, Finding, Measurement

if TYPE_CHECKING:
    from rich.console import Console

COLOURS = {"ok": "green", "info": "cyan", "warn": "yellow", "fail": "bold red", "n/a": "dim"}


def diagnose(options: Namespace) -> Outcome:
    looks = api.follow if options.watch else _once
    for result in looks(
        options.target,
        overrides=getattr(options, "key=value"),
        preset=options.preset,
        only=options.only,
        n=options.n,
        segments=options.segments,
        seed=options.seed or 0,
        device=options.device,
        threads=options.threads,
        out=options.out,
        quiet=options.quiet,
    ):
        if options.watch and not options.json:
            _shown(console(), result)
    failed = any(finding.severity == "fail" for finding in result.findings)
    silent = options.watch
    return Outcome(result, lambda to: None if silent else _shown(to, result), int(options.strict and failed), True)


def _once(target: str, **given: Any) -> Iterator[Diagnosis]:
    yield api.diagnose(target, **given)


def _shown(to: "Console", result: Diagnosis) -> None:
    from rich.table import Table

    about = result.about
    title = f"{result.target}: {about['puzzles']} puzzles, {about['segments']} segments, {about['weights']}"
    table = Table("probe", "verdict", "numbers", title=title, title_justify="left")
    for measurement in result.measurements:
        table.add_row(
            f"{measurement.code} {measurement.probe}",
            f"[{COLOURS[measurement.verdict]}]{measurement.verdict}[/]",
            measurement.why or _numbers(measurement),
        )
    to.print(table)
    for finding in result.findings:
        found(to, finding)
    if not result.findings:
        say(to, "nothing is wrong that these probes would see")
    if result.files:
        say(to, f"written: {', '.join(result.files)}")


def found(to: "Console", finding: Finding) -> None:
    """A finding with its number, its threshold and what to do."""
    to.print(f"[{COLOURS[finding.severity]}]{finding.severity}[/] {finding.rule}: ", end="")
    say(to, finding.seen)
    say(to, f"     measured {finding.observed}, threshold {finding.threshold} (evidence {finding.evidence})")
    say(to, f"     {finding.advice}")
    if finding.patch:
        say(to, f"     try: {' '.join(f'{key}={value}' for key, value in finding.patch.items())}")


def _numbers(measurement: Measurement) -> str:
    shown = list(measurement.scalars.items())[:6]
    return ", ".join(f"{name} {value:.3g}" if isinstance(value, float) else f"{name} {value}" for name, value in shown)
