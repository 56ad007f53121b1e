"""`demo`, `train`, `eval`: the verbs that take a while."""

from argparse import Namespace
from contextlib import nullcontext
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.diagnosing import found
from hrmlab.cli.output import Outcome, console, say
from hrmlab.cli.screen import Screen
from hrmlab.results import Demonstration, Evaluation, Training

if TYPE_CHECKING:
    from rich.console import Console

LOST, INTERRUPTED = 1, 3


def demo(options: Namespace) -> Outcome:
    teller = console(stderr=options.json)
    silent = options.json and options.quiet
    with nullcontext(None) if silent else Screen(stderr=options.json) as screen:
        result = api.demo(
            options.preset,
            out=options.out,
            seconds=options.seconds,
            steps=options.steps,
            seed=options.seed,
            device=options.device,
            threads=options.threads,
            quiet=options.quiet,
            tell=None if silent else lambda text: teller.print(f"\n{text}", soft_wrap=True),
            show=screen,
        )
    return Outcome(result, lambda to: _demo(to, result), INTERRUPTED if result.interrupted else 0, writes_out=True)


def train(options: Namespace) -> Outcome:
    result = api.train(
        options.preset,
        getattr(options, "key=value"),
        out=options.out,
        seconds=options.seconds,
        steps=options.steps,
        resume=options.resume,
        seed=options.seed,
        device=options.device,
        threads=options.threads,
        watch=options.watch,
        keep=options.keep,
        quiet=options.quiet,
    )
    code = LOST if result.lost else INTERRUPTED if result.interrupted else 0
    return Outcome(result, lambda to: _training(to, result), code, writes_out=True, silent=not api.speaks())


def evaluate(options: Namespace) -> Outcome:
    result = api.evaluate(
        options.run,
        data=options.data,
        n=options.n,
        halting=options.halting,
        attempts=options.attempts,
        vary=options.vary,
        select=options.select,
        checkpoints=options.checkpoint,
        engine=options.engine,
        device=options.device,
        threads=options.threads,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _evaluation(to, result))


def _demo(to: "Console", result: Demonstration) -> None:
    if result.interrupted:
        say(to, f"interrupted and saved; go on with: {result.resume}")
        return
    right = sum(bool(solution.solved) for solution in result.solved)
    say(to, f"\n{right} of the {len(result.solved)} shown are solved; {result.seconds:.0f} s in all")


def _training(to: "Console", result: Training) -> None:
    if result.lost:
        say(to, f"ended at step {result.steps}, since this run is lost; it is kept in {result.run}")
        for finding in result.lost:
            found(to, finding)
        return
    if result.evaluation is None:
        say(to, f"interrupted at step {result.steps} and saved; go on with: {result.resume}")
        return
    _evaluation(to, result.evaluation)
    say(to, f"{result.steps} steps in {result.seconds:.0f} s; run: {result.run}")
    say(to, f"next: hrm solve {result.run} PUZZLE --show")


def _evaluation(to: "Console", result: Evaluation) -> None:
    from rich.table import Table

    from hrmlab.config import decode
    from hrmlab.tasks.base import Task

    table = Table(title=f"{result.n} held-out puzzles")
    for column in ("measure", "value", "95% interval"):
        table.add_column(column)
    low, high = result.exact_interval
    table.add_row("exact (all cells right)", f"{result.exact:.2%}", f"{low:.2%} to {high:.2%}")
    low, high = result.valid_interval
    task = decode(Task, result.protocol.task)  # type: ignore[type-abstract]
    name = "valid by the task's rules" if task.ruled else "well-formed answers"
    table.add_row(name, f"{result.valid:.2%}", f"{low:.2%} to {high:.2%}")
    table.add_row("cells right", f"{result.cell:.2%}", "")
    if result.passes is not None:
        for k, share in result.passes.items():
            table.add_row(f"pass@{k} by vote, {result.voted_puzzles} puzzles", f"{share:.2%}", "")
    if result.tries is not None:
        tries = result.tries
        chosen = f"of {tries.attempts} tries by {tries.models} model" + "s" * (tries.models > 1)
        table.add_row(f"oracle: some try right, {chosen}", f"{tries.oracle_any_right:.2%}", "reads labels")
    table.add_row("segments, mean", f"{result.mean_segments:.2f}", "")
    table.add_row("segments, 95th percentile", f"{result.p95_segments:.0f}", "")
    table.add_row("puzzles per second", f"{result.puzzles_per_second:.0f}", "")
    to.print(table)
    last = len(result.by_segment)
    depths = [number for number in range(1, last + 1) if number <= 8 or number == last or number & (number - 1) == 0]
    shares = "  ".join(f"{number}: {result.by_segment[number - 1]:.1%}" for number in depths)
    if shares:
        say(to, f"exact by segment  {shares}")
    if result.tries is not None:
        say(to, f"answers chosen without labels, by --select {result.tries.select} (--vary {result.tries.vary})")
    protocol = result.protocol
    say(to, f"protocol: {protocol.data}; halting {protocol.halting['kind']}, at most {protocol.segments} segments;")
    say(to, f"  {protocol.weights}; {protocol.device}, {protocol.dtype}")
