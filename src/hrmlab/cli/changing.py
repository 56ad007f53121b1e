"""`compare`, `transfer`, `adapt`, `new`, `check`: models that are changed, and the parts they are changed with."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.errors import ConfigError
from hrmlab.results import Adaptation, Checked, Comparison, Scaffold, Transfer

if TYPE_CHECKING:
    from rich.console import Console

SHOWN = 5


def compare(options: Namespace) -> Outcome:
    result = api.compare(options.a, options.b)
    return Outcome(result, lambda to: _compare(to, result))


def transfer(options: Namespace) -> Outcome:
    if options.out is None:
        raise ConfigError("no place for the new run came; wanted --out RUN")
    result = api.transfer(
        options.a,
        options.b,
        getattr(options, "key=value"),
        out=options.out,
        seed=options.seed,
        threads=options.threads,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _transfer(to, result), writes_out=True)


def adapt(options: Namespace) -> Outcome:
    if options.examples is None:
        raise ConfigError("no demonstrations came; wanted --examples FILE")
    result = api.adapt(
        options.run,
        examples=options.examples,
        test=options.test,
        seconds=options.seconds,
        steps=options.steps,
        lr=options.lr,
        start=options.start,
        out=options.out,
        device=options.device,
        threads=options.threads,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _adapt(to, result), writes_out=True)


def new(options: Namespace) -> Outcome:
    result = api.new(options.kind, options.name, "." if options.out is None else options.out)
    return Outcome(result, lambda to: _new(to, result), writes_out=True)


def check(options: Namespace) -> Outcome:
    result = api.check(options.name, options.kind)
    return Outcome(result, lambda to: _check(to, result), int(not result.ok))


def _adapt(to: "Console", result: Adaptation) -> None:
    from rich.table import Table

    table = Table("right", "blank vector", "fitted vector", title=f"{result.steps} steps, {result.seconds:.1f} s")
    rows = [("demonstrations, whole", "exact"), ("demonstrations, cells", "cell")]
    rows += [("other examples, whole", "test_exact"), ("other examples, cells", "test_cell")] if result.test else []
    for name, field in rows:
        table.add_row(name, f"{getattr(result.before, field):.1%}", f"{getattr(result.after, field):.1%}")
    to.print(table)
    say(to, f"loss {result.loss_before:.3f} -> {result.loss_after:.3f}; vector: {result.vector}")
    say(to, f"next: hrm solve {result.run} PUZZLE --vector {result.vector}")


def _compare(to: "Console", result: Comparison) -> None:
    from rich.markup import escape
    from rich.table import Table

    if not result.config and not result.schedule:
        say(to, "no setting differs")
    for difference in result.config:
        say(to, difference["words"])
    for line in result.schedule:
        say(to, line)
    _weights(to, result.weights, result.b)
    table = Table("", escape(result.a), escape(result.b), "B / A")
    for name, cost in result.cost.items():
        ratio = "" if cost["ratio"] is None else f"{cost['ratio']:.2f}"
        table.add_row(name.replace("_", " "), f"{cost['a']:,.0f}", f"{cost['b']:,.0f}", ratio)
    to.print(table)


def _transfer(to: "Console", result: Transfer) -> None:
    _weights(to, result.weights, result.run)
    say(to, f"{result.moved:,} of {result.numbers:,} numbers moved, into {result.run}")
    for note in result.notes:
        say(to, f"note: {note}")
    say(to, f"next: hrm eval {result.run}, hrm train --resume {result.run}")


def _weights(to: "Console", weights: dict[str, list[object]], where: str) -> None:
    kept, lost = len(weights["kept"]), [name for name in ("missing", "reshaped", "dropped") if weights[name]]
    say(to, f"weights: {kept} of the {kept + len(weights['missing']) + len(weights['reshaped'])} in {where} fit")
    for kind in lost:
        some = ", ".join(_named(one) for one in weights[kind][:SHOWN])
        more = len(weights[kind]) - SHOWN
        say(to, f"  {kind}: {some}{f' and {more} more' if more > 0 else ''}")


def _named(one: object) -> str:
    return f"{one['name']} {one['a']} -> {one['b']}" if isinstance(one, dict) else str(one)


def _new(to: "Console", result: Scaffold) -> None:
    say(to, f"written: {', '.join(result.files)}")
    for line in result.next:
        say(to, f"next: {line}")


def _check(to: "Console", result: Checked) -> None:
    marks = {True: "pass", False: "FAIL", None: "-"}
    width = max(len(check.name) for check in result.checks)
    for check in result.checks:
        say(to, f"{marks[check.ok]:<4}  {check.name:<{width}}  {check.why}")
    failed = sum(check.ok is False for check in result.checks)
    say(
        to, f"{result.kind} '{result.name}': {'pass' if result.ok else f'FAIL, {failed} of {len(result.checks)} rules'}"
    )
