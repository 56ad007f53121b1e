"""What `bench` measures: training steps and answers of one model by several engines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from hrmlab.analysis.machine import Machine
from hrmlab.analysis.timing import Timing, interleaved
from hrmlab.api import steps
from hrmlab.api.peak import peak_mb
from hrmlab.api.puzzles import held_out, resolved
from hrmlab.api.rules import spelled_out
from hrmlab.api.targets import find_config, find_run
from hrmlab.core.captured import Captured
from hrmlab.core.carry import Batch
from hrmlab.core.compiling import Compiled, has_compiler
from hrmlab.core.cost import Costs, costs
from hrmlab.core.eager import Reference
from hrmlab.core.engines import ENGINES
from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError, ConfigError, DataError, unknown
from hrmlab.inference.solver import Answers
from hrmlab.results import EngineTiming
from hrmlab.tasks.base import IGNORE, Examples
from hrmlab.training.config import RunConfig
from hrmlab.training.overrides import override_run

TRAIN, ONE_FORWARD, INFER = "train", "train_one_forward", "infer"
PUZZLES, SLOTS = 128, 32
"""Held-out puzzles to answer, and slots to answer them in: fewer, so that slots are refilled as puzzles halt."""


@dataclass
class Work:
    """A model to be measured. examples: held-out puzzles, where the weights are trained ones."""

    config: RunConfig
    model: HRM
    cost: Costs
    device: torch.device
    seconds: float
    batch: Batch
    examples: Examples | None

    @property
    def trained(self) -> bool:
        return self.examples is not None

    def finished(self, timing: "Timed", machine: Machine) -> EngineTiming:
        """A timing as it is reported."""
        seconds = timing.timing.median
        peak = None
        if timing.mode == TRAIN:
            peak = peak_mb(self.config, timing.name, self.device)
        compiles = timing.name == Compiled.name
        return EngineTiming(
            name=timing.name,
            mode=timing.mode,
            step_ms={
                "median": 1e3 * seconds, "mad": 1e3 * timing.timing.mad,
                "busy": 1e3 * sorted(timing.timing.busy)[len(timing.timing.busy) // 2],
            },
            tokens_per_s=timing.segments * self.cost.positions / seconds,
            flops_share=timing.flops / seconds / machine.peak,
            peak_mb=peak,
            compile_s=timing.first if compiles else None,
            graph_breaks=0 if compiles else None,
            exact=timing.exact,
            mean_segments=timing.mean_segments,
        )  # fmt: skip


@dataclass(frozen=True)
class Timed:
    """segments: of single puzzles, in one run. flops: that the schedule demands of it. first: seconds of two calls."""

    name: str
    mode: str
    timing: Timing
    first: float
    segments: int
    flops: float
    exact: float | None = None
    mean_segments: float | None = None


def prepare(target: str | Path, overrides: Sequence[str], device: torch.device, seconds: float) -> Work:
    """Weights where they are to be had, else random ones.

    Raises:
        ConfigError, CheckpointError: no such target, or it cannot be used.
    """
    if seconds < 0:
        raise ConfigError(f"--seconds {seconds} came; wanted 0 or more")
    try:
        found = find_run(target)
    except CheckpointError:
        found = None
    plain = find_config(target) if found is None else found.config
    config = override_run(plain, spelled_out(overrides))
    if config.data.path is not None and Path(config.data.path).is_dir():
        config = resolved(config)
    examples = None
    if found is not None and (config.model, config.task) == (plain.model, plain.task):
        model = found.load(device)
        try:
            examples = held_out(config, True)[0]
        except DataError:
            examples = None
    else:
        torch.manual_seed(0)
        model = HRM(config.model, config.task.spec()).to(device)
    if examples is not None:
        examples = examples.part(slice(PUZZLES))
    rows = steps.random_examples(config, config.training.batch_size)
    tensors = (
        torch.from_numpy(part.astype("int64")).to(device) for part in (rows.inputs, rows.labels, rows.identifiers)
    )
    return Work(
        config, model, costs(config.model, config.task.spec()), device, seconds, Batch(*tensors), examples
    )  # fmt: skip


def names_of(wanted: str | None, model: HRM) -> list[str]:
    """The engines that were asked for.

    Raises:
        ConfigError: one of them does not exist.
    """
    if wanted is None:
        absent = {Compiled.name: not has_compiler(model), Captured.name: not model.initial.is_cuda}
        return [name for name in ENGINES if not absent.get(name)]
    names = [name.strip() for name in wanted.split(",") if name.strip()]
    for name in names:
        if name not in ENGINES:
            raise ConfigError(f"--engines: {unknown('engine', name, ENGINES)}")
    if not names:
        raise ConfigError(f"--engines came empty; wanted names among {', '.join(ENGINES)}")
    return list(dict.fromkeys(names))


def training(work: Work, names: list[str]) -> list[Timed]:
    """Steps as configured, and with the target of one forward pass; all of them interleaved."""
    variants = {TRAIN: work.config}
    if (other := steps.one_forward(work.config)) is not None:
        variants[ONE_FORWARD] = other
    runs: dict[tuple[str, str], Callable[[], object]] = {}
    for mode, config in variants.items():
        run = steps.trainer(config, work.device)
        for name in names:
            if mode == TRAIN or name != Reference.name:
                runs[mode, name] = steps.step_by(run, name)
    slots, schedule = work.config.training.batch_size, work.model.schedule
    found = []
    for (mode, name), first, timing in _measured(runs, work.seconds):
        flops = slots * work.cost.step(schedule, variants[mode].halting, work.config.training.segments_per_step)
        found.append(Timed(name, mode, timing, first, slots, flops))
    return found


def inference(work: Work, names: list[str]) -> list[Timed]:
    """Held-out puzzles answered until the halt; without trained weights, a segment of a full batch."""
    segment = work.cost.segment(work.model.schedule)
    runs: dict[tuple[str, str], Callable[[], object]] = {}
    answered: dict[str, Answers] = {}
    for name in names:
        if work.examples is None:
            runs[INFER, name] = steps.segment_by(work.model, name, work.batch)
        else:
            run = steps.answers_by(work.model, name, work.examples, work.config.evaluation, SLOTS)
            runs[INFER, name] = lambda name=name, run=run: answered.update({name: run()})  # type: ignore[misc]
    found = []
    for (mode, name), first, timing in _measured(runs, work.seconds):
        if work.examples is None:
            count = work.config.training.batch_size
            found.append(Timed(name, mode, timing, first, count, count * segment))
            continue
        answers = answered[name]
        count = int(answers.segments.sum())
        right = ((answers.tokens == work.examples.labels) | (work.examples.labels == IGNORE)).all(1)
        shares = float(right.mean()), float(answers.segments.mean())
        found.append(Timed(name, mode, timing, first, count, count * segment, *shares))
    return found


def _measured(
    runs: dict[tuple[str, str], Callable[[], object]], seconds: float
) -> list[tuple[tuple[str, str], float, Timing]]:
    first = {}
    for key, run in runs.items():
        start = time.perf_counter()
        run()
        run()
        first[key] = time.perf_counter() - start
    found = interleaved({str(number): run for number, run in enumerate(runs.values())}, seconds)
    return [(key, first[key], timing) for key, timing in zip(runs, found.values(), strict=True)]
