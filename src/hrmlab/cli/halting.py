"""`halting`, `halting tune`: which rule stops when, and at what price."""

from argparse import Namespace
from typing import TYPE_CHECKING

from hrmlab import api
from hrmlab.cli.output import Outcome, say
from hrmlab.errors import ConfigError
from hrmlab.results import HaltingChoice, HaltingReport

if TYPE_CHECKING:
    from rich.console import Console


def compare(options: Namespace) -> Outcome:
    result = api.halting(
        options.run,
        n=options.n,
        segments=options.segments,
        also=options.also,
        target_accuracy_loss=_share(options.target_accuracy_loss),
        device=options.device,
        threads=options.threads,
        out=options.out,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _compared(to, result), writes_out=True)


def tune(options: Namespace) -> Outcome:
    result = api.halting_tune(
        options.run,
        rule=options.rule,
        n=options.n,
        segments=options.segments,
        target_accuracy_loss=_share(options.target_accuracy_loss),
        device=options.device,
        threads=options.threads,
        quiet=options.quiet,
    )
    return Outcome(result, lambda to: _tuned(to, result))


def _share(text: str) -> float:
    """`0.5%` or `0.005`."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ConfigError(f"--target-accuracy-loss {text} came; wanted a share, e.g. 0.5% or 0.005") from None


def _compared(to: "Console", result: HaltingReport) -> None:
    from rich.table import Table

    title = f"{result.test} held-out puzzles, {result.segments} segments at most"
    table = Table("rule", "threshold", "exact", "mean segments", "p95", "precision", "recall", "premature", title=title)
    for rule in result.rules:
        name = f"{rule.name} *" if rule.name == result.best else rule.name
        numbers = [_percent(rule.precision), _percent(rule.recall), _percent(rule.premature)]
        threshold = "" if rule.threshold is None else f"{rule.threshold:.4g}"
        costs = [f"{rule.mean_segments:.2f}", f"{rule.p95_segments:.0f}"]
        table.add_row(name, threshold, _percent(rule.accuracy), *costs, *numbers)
    full, best = result.fixed[-1], result.oracle
    table.add_section()
    table.add_row("fixed", "", _percent(full["accuracy"]), f"{full['segments']:.0f}", f"{full['segments']:.0f}")
    table.add_row(
        "oracle", "", _percent(best["accuracy"]), f"{best['mean_segments']:.2f}", f"{best['p95_segments']:.0f}"
    )
    to.print(table)
    seen = result.calibration
    auroc = "undefined" if seen["auroc"] is None else f"{seen['auroc']:.3f}"
    say(to, f"{seen['of']}: ECE {seen['ece']:.3f}, Brier {seen['brier']:.3f}, AUROC {auroc}")
    say(to, f"right once and wrong at the end: {_percent(result.overthinking['lost'])}")
    if result.best is None:
        say(to, f"no rule keeps {_percent(result.wanted)} on the {result.validation} puzzles kept for picking")
    else:
        say(to, f"* fewest segments of those that keep {_percent(result.wanted)} on {result.validation} other puzzles")
    say(to, f"written: {', '.join(result.files)}")


def _tuned(to: "Console", result: HaltingChoice) -> None:
    dial = ", ".join(f"{key}={value}" for key, value in result.rule.items() if key != "kind")
    say(to, f"{result.run} now stops by {result.rule['kind']} ({dial})")
    say(
        to,
        f"held-out: {_percent(result.accuracy)} in {result.mean_segments:.2f} segments on average, against "
        f"{_percent(result.full_accuracy)} in {result.segments} for everyone",
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
