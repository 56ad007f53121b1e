"""`parity`, `import`, `import-config`, `export`: the reference implementations and other programs."""

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.errors import ConfigError
from hrmlab.results import Imported, Parity

if TYPE_CHECKING:
    from rich.console import Console


def parity(options: Namespace) -> Outcome:
    result = api.parity(
        options.file, compiled=options.compile, dtype=options.dtype, threads=options.threads, quiet=options.quiet
    )
    return Outcome(result, lambda to: _parity(to, result), int(not result.ok))


def take(options: Namespace) -> Outcome:
    result = api.import_checkpoint(
        options.path, getattr(options, "key=value"), out=options.out, data=options.data, compat=options.compat
    )

    def show(to: "Console") -> None:
        say(to, f"{len(result.keys)} tensors, {result.parameters:,} parameters, in {result.path}")
        _notes(to, result)
        say(to, f"next: hrm eval {result.path}, hrm solve {result.path} PUZZLE")

    return Outcome(result, show, writes_out=True)


def take_config(options: Namespace) -> Outcome:
    result = api.import_config(options.file, getattr(options, "key=value"), out=options.out, compat=options.compat)

    def show(to: "Console") -> None:
        say(to, f"a model of {result.parameters:,} parameters; its run is written to {result.path}")
        _notes(to, result)
        say(to, f"next: hrm inspect {result.path}, hrm train {result.path}")

    return Outcome(result, show, writes_out=True)


def give(options: Namespace) -> Outcome:
    if options.out is None:
        raise ConfigError("no place for the export came; wanted --out PATH")
    result = api.export(options.run, out=options.out, format=options.format)
    return Outcome(result, lambda to: say(to, f"{result.path}: {', '.join(result.files)}"), writes_out=True)


def _notes(to: "Console", result: Imported) -> None:
    for note in result.notes:
        say(to, f"note: {note}")


def _parity(to: "Console", result: Parity) -> None:
    from rich.table import Column, Table

    groups = list(dict.fromkeys(group for file in result.files for group in file.worst))
    table = Table(
        Column("file", overflow="fold", no_wrap=True),
        *groups,
        "",
        title=f"largest error, and its part of what is allowed ({_how(result)})",
    )
    for file in result.files:
        cells = [f"{file.worst[g]:.1e} ({file.share[g]:.0%})" if g in file.worst else "-" for g in groups]
        table.add_row(Path(file.file).stem, *cells, "pass" if file.ok else "FAIL")
    to.print(table)
    for file in result.files:
        if file.error:
            say(to, file.error)
    say(to, "pass" if result.ok else f"FAIL: {sum(not file.ok for file in result.files)} of {len(result.files)} files")


def _how(result: Parity) -> str:
    return f"{result.protocol['dtype']}, {'compiled' if result.protocol['compiled'] else 'eager'}"
