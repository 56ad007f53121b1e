"""`diagnose`: what is wrong inside a model, with the number, the threshold, and what to do."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from hrmlab.analysis.probes import PROBES, Probe, Subject
from hrmlab.analysis.probes.base import PRESETS, Preset
from hrmlab.api.configuring import configure
from hrmlab.api.evaluation import device_name
from hrmlab.api.puzzles import augmentation, both, first, generate
from hrmlab.api.settings import Threads, choose_device, use_threads, versions
from hrmlab.api.targets import SHIPPED, Run, find_run, is_run
from hrmlab.config import encode
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.presets import PRESETS as RUNS
from hrmlab.reports.files import write_texts
from hrmlab.results import Diagnosis, Finding, Measurement
from hrmlab.tasks.base import Examples, Split
from hrmlab.terminal import Meter
from hrmlab.training.checkpoint import checkpoints
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.folder import RunFolder
from hrmlab.training.loop import Trainer

SEGMENTS = 16
"""Most segments looked at where nothing is asked for."""
TRAINING_PUZZLES = 512
"""Training puzzles made again for probes that take training steps."""
SEVERITIES = ("fail", "warn", "info")


def diagnose(
    target: str | Path,
    overrides: Sequence[str] = (),
    *,
    preset: Preset = "standard",
    only: Sequence[str] = (),
    n: int | None = None,
    segments: int | None = None,
    seed: int = 0,
    device: str = "auto",
    threads: Threads = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Diagnosis:
    """Run a set of probes on a run, a checkpoint, a shipped model, or a fresh model of a preset or configuration.

    Args:
        preset: "economy" looks at what is cheap, "standard" and "full" at more.
        only: these probes, by name, whatever the preset.
        n: held-out puzzles to look at.
        segments: how deep; None for the run's own limit, 16 at most.
        out: folder for `diagnosis.json`; None is `diagnosis/` in a run folder, and nothing for other targets.

    Raises:
        CheckpointError, ConfigError, DataError: the target, a probe's name or a number cannot be used, and why.
    """
    use_threads(threads, quiet)
    probes = chosen(preset, only)
    subject, about = examined(target, overrides, n or PRESETS[preset], segments, seed, device, quiet)
    return concluded(str(target), preset, subject, about, probes, _folder(target, out), quiet)


def concluded(
    target: str,
    preset: Preset,
    subject: Subject,
    about: dict[str, Any],
    probes: Sequence[Probe],
    folder: Path | None,
    quiet: bool,
) -> Diagnosis:
    """Every probe's answer about a subject, summed up and written into a folder where there is one."""
    start = time.perf_counter()
    measurements = measured(subject, probes, quiet)
    result = Diagnosis(
        target=target,
        preset=preset,
        findings=worst_first(measurements),
        checked=[m.probe for m in measurements if m.verdict != "n/a"],
        not_checked=[{"probe": m.probe, "why": m.why} for m in measurements if m.verdict == "n/a"],
        measurements=measurements,
        about=about,
        seconds=round(time.perf_counter() - start, 2),
        files=[] if folder is None else [str(folder / "diagnosis.json")],
    )
    if folder is not None:
        write_texts(folder, {"diagnosis.json": json.dumps(result.plain(), indent=1) + "\n"})
    return result


def follow(target: str | Path, *, every: float = 2.0, **options: Any) -> Iterator[Diagnosis]:
    """`diagnose` again at every new checkpoint of a run in progress, until it is evaluated; once for other targets.

    Args:
        every: seconds between looks for a new checkpoint.
        options: as `diagnose`'s.
    """
    path = Path(target)
    if not path.is_dir():
        yield diagnose(target, **options)
        return
    seen: Path | None = None
    while True:
        over = (path / "results.json").is_file()
        saved = checkpoints(RunFolder(path).checkpoints)
        if saved and saved[-1] != seen:
            seen = saved[-1]
            yield diagnose(target, **options)
        elif over:
            return
        else:
            time.sleep(every)


def chosen(preset: Preset, only: Sequence[str] = ()) -> list[Probe]:
    """The probes of a preset, or those named.

    Raises:
        ConfigError: an unknown name.
    """
    if preset not in PRESETS:
        raise ConfigError(f"--preset {preset} came; wanted {', '.join(PRESETS)}")
    if only:
        return [PROBES.get(name).config() for name in only]
    ranks = list(PRESETS)
    made = [entry.config() for entry in PROBES]
    kept = [probe for probe in made if ranks.index(probe.preset) <= ranks.index(preset)]
    return sorted(kept, key=lambda probe: (probe.code, probe.kind))


def measured(subject: Subject, probes: Sequence[Probe], quiet: bool) -> list[Measurement]:
    """Every probe's answer, one after the other."""
    found = []
    with Meter(f"{len(probes)} probes", quiet) as meter:
        for number, probe in enumerate(probes):
            meter.update(number / max(len(probes), 1), probe.kind)
            found.append(probe.run(subject))
    return found


def worst_first(measurements: Sequence[Measurement]) -> list[Finding]:
    """All findings, failures before warnings before notes."""
    findings = [finding for measurement in measurements for finding in measurement.findings]
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def examined(
    target: str | Path,
    overrides: Sequence[str],
    n: int,
    segments: int | None,
    seed: int,
    device: str,
    quiet: bool,
) -> tuple[Subject, dict[str, Any]]:
    """A subject for probes, and what its numbers belong to."""
    place, run = choose_device(device), None
    fresh = bool(overrides) and str(target) in RUNS and not Path(target).exists()  # a name that a model has too
    if is_run(target) and not fresh:
        if overrides:
            raise ConfigError(
                f"{target} is a trained run; changes such as {overrides[0]} need a preset or configuration"
            )
        run = find_run(target)
        config, model, weights = run.config, run.load(place), run.about_weights
    else:
        config = configure(target, overrides)
        torch.manual_seed(config.training.seed)
        model, weights = HRM(config.model, config.task.spec()).to(place).eval(), "fresh"
    model.dtype = torch.float32
    split = _puzzles(config, n, quiet)
    subject = Subject(
        model=model,
        task=config.task,
        examples=first(split.test, min(n, len(split.test))),
        loss=config.loss,
        halting=config.halting,
        evaluation=config.evaluation,
        segments=segments or min(config.evaluation.max_segments, SEGMENTS),
        settings=encode(config),
        train=split.train,
        metrics=_metrics(run),
        learner=lambda: copied_trainer(config, split.train, model),
        seed=seed,
    )
    about = {
        "weights": weights,
        "fingerprint": run.fingerprint if run is not None else None,
        "task": encode(config.task),
        "puzzles": len(subject.examples),
        "protocol": split.protocol,
        "segments": subject.segments,
        "seed": seed,
        "device": device_name(place),
        "dtype": "float32",
        "versions": versions(),
    }
    return subject, about


def _puzzles(config: RunConfig, n: int, quiet: bool) -> Split:
    """Held-out puzzles as the run has them, and some training puzzles."""
    if config.data.path is not None:
        return both(config, quiet)
    test = min(n, config.data.test)
    whole = generate(config.task, min(TRAINING_PUZZLES, config.data.train), config.data.test, config.data.seed, quiet)
    return Split(whole.train, whole.test.part(slice(test)), whole.protocol)


def copied_trainer(config: RunConfig, train: Examples, model: HRM) -> Trainer:
    """A trainer on a copy of the weights, eager, as the run would go on."""
    config = replace(config, training=replace(config.training, engine="eager"))
    state = torch.random.get_rng_state()
    copied = HRM(config.model, config.task.spec()).to(model.initial.device)
    torch.random.set_rng_state(state)
    copied.load_state_dict(model.state_dict())
    copied.dtype = torch.float32
    return Trainer(config, copied.train(), Feeder(train, config.training.seed, augmentation(config)))


def _metrics(run: Run | None) -> list[dict[str, Any]]:
    return [] if run is None else run.folder.metrics()


def _folder(target: str | Path, out: str | Path | None) -> Path | None:
    if out is not None:
        return Path(out)
    if not is_run(target):
        return None
    path = find_run(target).folder.path
    return None if path.is_relative_to(SHIPPED) else path / "diagnosis"
