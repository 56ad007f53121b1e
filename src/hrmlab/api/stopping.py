"""`halting`: every rule on the same weights; `halting tune`: the cheapest that keeps the accuracy, into the run."""

from dataclasses import asdict, replace
from pathlib import Path

from hrmlab.analysis.calibration import calibration
from hrmlab.analysis.replay import Point, cheapest, fixed, oracle, overthinking, point, sweep
from hrmlab.analysis.traces import Trace, record
from hrmlab.api.evaluation import protocol_of, ticks
from hrmlab.api.puzzles import first, held_out
from hrmlab.api.settings import choose_device, use_threads
from hrmlab.api.targets import SHIPPED, Run, find_run
from hrmlab.config import encode
from hrmlab.errors import ConfigError, DataError
from hrmlab.halting import (
    AnswerStability,
    Confidence,
    Correctness,
    Entropy,
    Fixed,
    HaltingConfig,
    KLStability,
    Margin,
    QLearning,
    Residual,
    SampledDepth,
    Verifier,
)
from hrmlab.reports.halting import write_report
from hrmlab.results import HaltingChoice, HaltingReport, HaltingRule
from hrmlab.terminal import Meter

LONGEST = 64
"""Segments recorded where nothing is asked for and the run's own limit is larger."""
TRAINING_FREE: dict[str, HaltingConfig] = {
    "confidence": Confidence(),
    "confidence, mean": Confidence(over="mean"),
    "margin": Margin(),
    "entropy": Entropy(),
    "kl_stability": KLStability(),
    "answer_stability": AnswerStability(),
    "residual": Residual(),
    "residual, l2": Residual(norm="l2"),
    "verifier": Verifier(),
}


def rules_for(policy: HaltingConfig) -> dict[str, HaltingConfig]:
    """The rules that mean something on weights trained under a policy: the training-free ones and those of its head."""
    if isinstance(policy, QLearning):
        return TRAINING_FREE | {"q_learning": QLearning(), "correctness": Correctness()}
    own = {} if isinstance(policy, (Fixed, SampledDepth)) else {policy.kind: policy}
    return TRAINING_FREE | own


def halting(
    run: str | Path,
    *,
    n: int | None = None,
    segments: int | None = None,
    target_accuracy_loss: float = 0.005,
    device: str = "auto",
    threads: int | None = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> HaltingReport:
    """Compare every applicable rule on the run's held-out puzzles, half of them to pick thresholds, half to report.

    Args:
        n: only the first so many puzzles, 4 or more.
        segments: depth of the recording; None takes the run's limit, 64 at most.
        target_accuracy_loss: what a threshold may cost against running everyone to the end, as a share.
        out: folder for table, figure and JSON; None is `halting/` in the run folder, or `halting-NAME/` here for a
            model that comes with the package.

    Raises:
        CheckpointError, ConfigError, DataError: the run or the numbers cannot be used, and why.
    """
    use_threads(threads)
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
    rules = rules_for(config.halting)
    with Meter(f"recording {len(examples)} puzzles for {depth} segments", quiet) as meter:
        tick = ticks(meter, len(examples))
        trace = record(model, examples, rules, depth, config.task.valid, progress=tick)
    half = len(examples) // 2
    pick, report = trace.rows(slice(0, half)), trace.rows(slice(half, None))
    wanted = float(pick.right[:, -1].mean()) - target_accuracy_loss
    compared = [_compared(name, rule, depth, pick, report, wanted) for name, rule in rules.items()]
    keeps = [rule for rule, kept in compared if kept]
    seed = config.data.seed if config.data.path is None else None
    about = protocol_of(model, config.task, Fixed(max_segments=depth), protocol, seed, found.about_weights)
    result = HaltingReport(
        run=str(run),
        segments=depth,
        validation=half,
        test=len(examples) - half,
        wanted=wanted,
        rules=sorted((rule for rule, _ in compared), key=lambda rule: rule.mean_segments),
        fixed=[{"segments": p.mean_segments, "accuracy": p.accuracy} for p in fixed(report)],
        oracle=asdict(oracle(report)),
        calibration=_calibrated(report),
        overthinking=overthinking(report.right),
        best=min(keeps, key=lambda rule: rule.mean_segments).name if keeps else None,
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
    threads: int | None = None,
    quiet: bool = False,
) -> HaltingChoice:
    """Pick the cheapest rule that keeps the accuracy and write it into the run's configuration.

    Args:
        rule: only this one, by its name in the report.

    Raises:
        CheckpointError, ConfigError, DataError: as `halting`; also where no rule keeps the accuracy, or the run is a
            model that comes with the package.
    """
    found = find_run(run)
    if found.folder.path.is_relative_to(SHIPPED):
        raise ConfigError(f"{run} comes with the package and stays as it is; copy its folder, or type --halting RULE")
    report = halting(
        run,
        n=n,
        segments=segments,
        target_accuracy_loss=target_accuracy_loss,
        device=device,
        threads=threads,
        quiet=quiet,
    )
    names = [one.name for one in report.rules]
    if rule is not None and rule not in names:
        raise ConfigError(f"--rule {rule} came; wanted one of: {', '.join(names)}")
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
) -> tuple[HaltingRule, bool]:
    """A rule at the cheapest threshold that kept the wanted accuracy on `pick`, and whether one did."""
    cutoffs = (sweep(pick.readiness[name]) if rule.dial else []) or [rule.cutoff]
    tried = [point(pick, pick.readiness[name], cutoff) for cutoff in cutoffs]
    chosen = cheapest(tried, wanted)
    cutoff = (chosen or max(tried, key=lambda p: p.accuracy)).cutoff
    set_to = replace((rule.at(cutoff) or rule) if rule.dial else rule, max_segments=depth)
    found = asdict(point(report, report.readiness[name], cutoff))
    del found["cutoff"]
    curve = [_row(rule, point(report, report.readiness[name], each)) for each in cutoffs]
    return HaltingRule(name=name, rule=encode(set_to), threshold=_dial(rule, cutoff), curve=curve, **found), bool(
        chosen
    )


def _row(rule: HaltingConfig, at: Point) -> dict[str, float | None]:
    kept = ("accuracy", "mean_segments", "p95_segments", "precision", "recall")
    return {"threshold": _dial(rule, at.cutoff)} | {name: getattr(at, name) for name in kept}


def _dial(rule: HaltingConfig, cutoff: float) -> float | None:
    turned = rule.at(cutoff)
    return float(getattr(turned, rule.dial)) if turned is not None and rule.dial is not None else None


def _calibrated(trace: Trace) -> dict[str, object]:
    whole = asdict(calibration(trace.confidence.ravel(), trace.right.ravel()))
    depths = [2**k for k in range(trace.right.shape[1].bit_length()) if 2**k <= trace.right.shape[1]]
    rows = [
        {"segment": at, **asdict(calibration(trace.confidence[:, at - 1], trace.right[:, at - 1]))} for at in depths
    ]
    return whole | {"by_segment": rows}


def _home(found: Run, run: str | Path) -> Path:
    shipped = found.folder.path.is_relative_to(SHIPPED)
    return Path(f"halting-{found.folder.path.name}") if shipped else found.folder.path / "halting"
