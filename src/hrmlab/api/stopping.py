"""`halting`: every rule on the same weights; `halting tune`: the cheapest that keeps the accuracy, into the run."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from hrmlab.analysis.calibration import calibration
from hrmlab.analysis.candidates import rules_for
from hrmlab.analysis.contest import play, settings
from hrmlab.analysis.replay import Point, cheapest, fixed, oracle, overthinking
from hrmlab.analysis.traces import Trace, passes, record
from hrmlab.api.evaluation import protocol_of, ticks
from hrmlab.api.puzzles import first, held_out
from hrmlab.api.rules import halting_rule
from hrmlab.api.settings import Threads, choose_device, use_threads
from hrmlab.api.targets import SHIPPED, Run, find_run
from hrmlab.config import encode
from hrmlab.core.eager import Eager
from hrmlab.errors import ConfigError, DataError
from hrmlab.halting import Fixed, HaltingConfig
from hrmlab.reports.halting import write_report
from hrmlab.results import HaltingChoice, HaltingReport, HaltingRule
from hrmlab.terminal import Meter

LONGEST = 64
"""Segments recorded where nothing is asked for and the run's own limit is larger."""


def halting(
    run: str | Path,
    *,
    n: int | None = None,
    segments: int | None = None,
    also: Sequence[str] = (),
    target_accuracy_loss: float = 0.005,
    device: str = "auto",
    threads: Threads = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> HaltingReport:
    """Compare every applicable rule on the run's held-out puzzles, half of them to pick thresholds, half to report.

    Args:
        n: only the first so many puzzles, 4 or more.
        segments: depth of the recording; None takes the run's limit, 64 at most.
        also: more rules to compare, as `kind,key=value,...`, under that name; those with a dial are swept too.
        target_accuracy_loss: what a threshold may cost against running everyone to the end, as a share.
        out: folder for table, figure and JSON; None is `halting/` in the run folder, or `halting-NAME/` here for a
            model that comes with the package.

    Raises:
        CheckpointError, ConfigError, DataError: the run or the numbers cannot be used, and why.
    """
    use_threads(threads, quiet)
    found = find_run(run)
    config = found.config
    depth = segments or min(config.evaluation.max_segments, LONGEST)
    if depth < 2 or not 0 <= target_accuracy_loss < 1:
        raise ConfigError(f"segments={depth}, loss={target_accuracy_loss}; wanted 2 segments or more, and a share")
    model = found.load(choose_device(device))
    examples, protocol = held_out(config, quiet)
    examples = first(examples, n)
    if len(examples) < 4:
        raise DataError(f"{len(examples)} puzzles came; wanted 4 or more, half of them to pick thresholds on")
    rules = rules_for(config.halting) | {text: halting_rule(text, Fixed(max_segments=depth)) for text in also}
    with Meter(f"recording {len(examples)} puzzles for {depth} segments", quiet) as meter:
        tick = ticks(meter, len(examples) * passes(rules))
        trace = record(model, examples, rules, depth, config.task.valid, progress=tick)
    half = len(examples) // 2
    pick, report = trace.rows(slice(0, half)), trace.rows(slice(half, None))
    wanted = float(pick.right[:, -1].mean()) - target_accuracy_loss
    compared = [_compared(name, rule, depth, pick, report, wanted) for name, rule in rules.items()]
    keeps = {rule.name: cost for rule, cost in compared if cost is not None}
    seed = config.data.seed if config.data.path is None else None
    about = protocol_of(Eager(model), config.task, Fixed(max_segments=depth), protocol, seed, found.about_weights)
    result = HaltingReport(
        run=str(run),
        segments=depth,
        validation=half,
        test=len(examples) - half,
        wanted=wanted,
        rules=sorted((rule for rule, _ in compared), key=lambda rule: rule.mean_segments),
        fixed=[{"segments": p.mean_segments, "accuracy": p.accuracy} for p in fixed(report)],
        oracle=asdict(oracle(report)),
        calibration=_calibrated(report, config.halting),
        overthinking=overthinking(report.right),
        best=min(keeps, key=lambda name: keeps[name]) if keeps else None,
        files=[],
        protocol=about,
    )
    return write_report(result, Path(out) if out is not None else _home(found, run))


def halting_tune(
    run: str | Path,
    *,
    rule: str | None = None,
    n: int | None = None,
    segments: int | None = None,
    target_accuracy_loss: float = 0.005,
    device: str = "auto",
    threads: Threads = None,
    quiet: bool = False,
) -> HaltingChoice:
    """Pick the cheapest rule that keeps the accuracy and write it into the run's configuration.

    Args:
        rule: only this one, by its name in the report or as `kind,key=value,...`.

    Restarts are not recorded: a rule chosen here has none, and its limit is the depth of the recording.

    Raises:
        CheckpointError, ConfigError, DataError: as `halting`; also where no rule keeps the accuracy, or the run is a
            model that comes with the package.
    """
    found = find_run(run)
    if found.folder.path.is_relative_to(SHIPPED):
        raise ConfigError(f"{run} comes with the package and stays as it is; copy its folder, or type --halting RULE")
    known = rules_for(found.config.halting)
    report = halting(
        run,
        n=n,
        segments=segments,
        also=() if rule is None or rule in known else (rule,),
        target_accuracy_loss=target_accuracy_loss,
        device=device,
        threads=threads,
        quiet=quiet,
    )
    chosen = next((one for one in report.rules if one.name == (rule or report.best)), None)
    if chosen is None:
        raise ConfigError(f"no rule keeps an accuracy of {report.wanted:.1%}; allow a larger --target-accuracy-loss")
    before = encode(found.config)
    found.folder.write("config.json", before | {"evaluation": chosen.rule})
    return HaltingChoice(
        run=str(run),
        rule=chosen.rule,
        before=before["evaluation"],
        accuracy=chosen.accuracy,
        mean_segments=chosen.mean_segments,
        full_accuracy=report.fixed[-1]["accuracy"],
        segments=report.segments,
    )


def _compared(
    name: str, rule: HaltingConfig, depth: int, pick: Trace, report: Trace, wanted: float
) -> tuple[HaltingRule, float | None]:
    """A rule at the cheapest threshold that kept the wanted accuracy on `pick`, and its mean segments there; None where
    no threshold did, and the most accurate is taken."""
    tried = settings(rule, pick.readiness[name])
    points = [play(each, name, pick) for each in tried]
    kept = cheapest(points, wanted)
    best = kept or max(points, key=lambda p: (p.accuracy, -p.mean_segments))
    chosen = tried[points.index(best)]
    found = asdict(play(chosen, name, report))
    del found["cutoff"]
    shown = HaltingRule(
        name=name,
        rule=encode(replace(chosen, max_segments=depth)),
        threshold=_dial(chosen),
        curve=[_row(each, play(each, name, report)) for each in tried],
        **found,
    )
    return shown, kept.mean_segments if kept else None


def _row(rule: HaltingConfig, at: Point) -> dict[str, float | None]:
    kept = ("accuracy", "mean_segments", "p95_segments", "precision", "recall")
    return {"threshold": _dial(rule)} | {name: getattr(at, name) for name in kept}


def _dial(rule: HaltingConfig) -> float | None:
    return float(getattr(rule, rule.dial)) if rule.dial is not None else None


def _calibrated(trace: Trace, policy: HaltingConfig) -> dict[str, object]:
    """Of the halting head, where it was taught to tell right answers; else of the least sure cell's probability."""
    p = trace.confidence if policy.predicts_right else trace.readiness["confidence"]
    whole = asdict(calibration(p.ravel(), trace.right.ravel()))
    depths = [2**k for k in range(trace.right.shape[1].bit_length()) if 2**k <= trace.right.shape[1]]
    rows = [{"segment": at, **asdict(calibration(p[:, at - 1], trace.right[:, at - 1]))} for at in depths]
    return {"of": "halting head" if policy.predicts_right else "least sure cell"} | whole | {"by_segment": rows}


def _home(found: Run, run: str | Path) -> Path:
    shipped = found.folder.path.is_relative_to(SHIPPED)
    return Path(f"halting-{found.folder.path.name}") if shipped else found.folder.path / "halting"
