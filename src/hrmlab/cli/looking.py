"""`doctor`, `catalog`, `completion`, `inspect`: the verbs that only look."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.results import Catalogue, Environment, Inspection

if TYPE_CHECKING:
    from rich.console import Console


def doctor(options: Namespace) -> Outcome:
    result = api.doctor()
    return Outcome(result, lambda to: _doctor(to, result))


def catalog(options: Namespace) -> Outcome:
    result = api.catalog(options.kind)
    return Outcome(result, lambda to: _catalog(to, result))


def completion(options: Namespace) -> Outcome:
    result = api.completion(options.shell)
    return Outcome(result, lambda to: to.out(result.script, highlight=False))


def inspect(options: Namespace) -> Outcome:
    picture = options.out if str(options.out).endswith(".svg") else None
    result = api.inspect(options.target, getattr(options, "key=value"), picture=picture)
    return Outcome(result, lambda to: _inspect(to, result), writes_out=picture is not None)


def _doctor(to: "Console", result: Environment) -> None:
    from rich.table import Table
    from rich.text import Text

    versions = ", ".join(f"{name} {number or '(not installed)'}" for name, number in result.versions.items())
    say(to, versions)
    say(to, f"--device auto takes {result.device}: {result.why_device}")
    threads, memory = result.threads, result.memory
    say(to, f"{threads['usable']} of {threads['cores']} cores usable, torch uses {threads['torch']} threads")
    say(to, f"--threads auto takes {threads['chosen']}: {result.why_threads}")
    say(to, f"memory: {memory['available'] / 2**30:.1f} of {memory['total'] / 2**30:.1f} GiB available")
    for title, rows in (("engine", result.engines), ("extra", result.extras)):
        table = Table(title, "available", "what it is, or why not")
        for row in rows:
            table.add_row(row.name, "yes" if row.available else "no", Text(row.why))
        to.print(table)
    for device in result.devices:
        say(to, f"device {device['name']}: {device['description']}")


def _catalog(to: "Console", result: Catalogue) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("kind", "name", "summary", "source")
    for item in result.items:
        table.add_row(item.kind, item.name, Text(item.summary), Text(item.source))
    to.print(table)


def _inspect(to: "Console", result: Inspection) -> None:
    say(to, f"{result.name}: one segment")
    lines, last = result.table.splitlines(), len(result.schedule)
    width = max(map(len, lines[:last]))
    for line, row in zip(lines, result.schedule, strict=False):
        kept = f", keeps {row['activations'] / 2**20:.2f} MiB" if row["grad"] else ""
        say(to, f"{line:<{width}}   {row['flops'] / 1e6:,.1f} million operations{kept}")
    say(to, "\n".join(lines[last:]))
    say(to, f"without gradient: {result.without_gradient:.0%} of the updates' operations")
    for name, calls in result.calls.items():
        say(to, f"network '{name}': {calls['forward']} calls a segment, {calls['grad']} with gradient")
    for name, count in result.parameters.items():
        say(to, f"parameters, {name}: {count:,}")
    for name, count in result.flops.items():
        say(to, f"operations for one puzzle, {name.replace('_', ' ')}: {count / 1e6:,.1f} million")
    for name, count in result.memory.items():
        say(to, f"memory, {name.replace('_', ' ')}: {count / 2**20:,.2f} MiB")
    for warning in result.warnings:
        say(to, f"warning: {warning}")
    if result.picture:
        say(to, f"picture: {result.picture}")
