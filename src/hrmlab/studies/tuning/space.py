"""What a search may change of a run, dimension by dimension. Its start is the run itself, unchanged."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from math import lcm
from typing import Any

import torch

from hrmlab.attention import Size
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule, Levels, ScheduleConfig, SingleState, TRMSchedule, Universal
from hrmlab.errors import ConfigError
from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import AdamAtan2Config, AdamW, MuonConfig, OptimiserConfig

Value = str | int | float
Point = Mapping[str, Value]
"""By dimension, a value."""


@dataclass(frozen=True)
class Choice:
    """One of some values without order."""

    values: tuple[Value, ...]
    start: Value


@dataclass(frozen=True)
class Whole:
    """A whole number from low to high, both reached in steps."""

    low: int
    high: int
    start: int
    step: int = 1


@dataclass(frozen=True)
class Factor:
    """What a number of the run is multiplied by; doubling and halving are alike."""

    low: float
    high: float
    start: float = 1.0


Space = Mapping[str, Choice | Whole | Factor]


def space_of(base: RunConfig) -> Space:
    """The dimensions of a search around a run: levels, cycles, sizes, halting and optimiser."""
    model, size, training = base.model, base.model.size, base.training
    fast, slow = _cycles(model.schedule)
    segments, least = base.halting.max_segments, base.halting.min_segments
    decay = getattr(training.optimiser, "weight_decay", 0.0)
    width = _widths(size)
    return {
        "schedule": _kinds(model.schedule.kind, "single_state", "hrm", "trm", "levels"),
        "cycles": Whole(1, max(8, 2 * fast), fast),
        "slow_cycles": Whole(1, max(4, 2 * slow), slow),
        "layers": Whole(1, max(4, 2 * size.layers), size.layers),
        "width": width,
        "heads": Choice(tuple(_heads(base, width)), size.heads),
        "expansion": Factor(0.5, 2.0),
        "halting": _kinds(base.halting.kind, "correctness", "q_learning"),
        "segments": Whole(max(least, segments // 2, 1), 2 * segments, segments),
        "optimiser": _kinds(training.optimiser.kind, "adamw", "adam_atan2", "muon"),
        "learning_rate": Factor(0.1, 10.0),
        "weight_decay": Choice(tuple(dict.fromkeys((decay, 0.0, 0.1, 1.0))), decay),
        "batch_size": Choice(
            tuple(sorted({max(1, training.batch_size * k // 2) for k in (1, 2, 4)})), training.batch_size
        ),
    }


def start_of(space: Space) -> dict[str, Value]:
    """The point that changes nothing."""
    return {name: dimension.start for name, dimension in space.items()}


def configured(base: RunConfig, space: Space, point: Point) -> RunConfig:
    """The run at a point of its space. What stands at its start is kept as it is."""
    chosen: dict[str, Any] = dict(point)
    moved = {name for name, dimension in space.items() if chosen[name] != dimension.start}
    model = base.model
    schedule = _schedule(model.schedule, chosen, moved)
    size = replace(model.size, width=chosen["width"], heads=chosen["heads"], layers=chosen["layers"])
    if moved & {"schedule", "layers"}:
        model = replace(model, networks={})
    if "expansion" in moved:
        size = replace(size, expansion=round(size.expansion * chosen["expansion"], 3))
    halting, evaluation = _halting(base, chosen, moved)
    training = replace(
        base.training,
        optimiser=_optimiser(base.training.optimiser, chosen, moved),
        batch_size=chosen["batch_size"],
    )
    model = replace(model, schedule=schedule, size=size)
    return replace(base, model=model, training=training, halting=halting, evaluation=evaluation)


def _kinds(own: str, *others: str) -> Choice:
    return Choice(tuple(dict.fromkeys((own, *others))), own)


def _cycles(schedule: ScheduleConfig) -> tuple[int, int]:
    """Updates of the fastest level in a cycle, and cycles of the slowest."""
    match schedule:
        case SingleState(cycles=cycles) | Universal(loops=cycles):
            return cycles, 2
        case HRMSchedule(high_cycles=slow, low_cycles=fast) | TRMSchedule(high_cycles=slow, low_cycles=fast):
            return fast, slow
        case Levels(periods=(slow, *_, fast)):
            return fast, slow
    return 2, 2


def _schedule(base: ScheduleConfig, chosen: Mapping[str, Any], moved: set[str]) -> ScheduleConfig:
    """A schedule whose kind has no cycles known here stays as it is."""
    if not moved & {"schedule", "cycles", "slow_cycles"}:
        return base
    fast, slow = chosen["cycles"], chosen["slow_cycles"]
    if "schedule" in moved:
        made: dict[str, ScheduleConfig] = {
            "single_state": SingleState(cycles=fast),
            "hrm": HRMSchedule(high_cycles=slow, low_cycles=fast),
            "trm": TRMSchedule(high_cycles=slow, low_cycles=fast),
            "levels": Levels(periods=(slow, 2, fast)),
        }
        return made[chosen["schedule"]]
    match base:
        case SingleState():
            return replace(base, cycles=fast, grad_window=None)
        case Universal():
            return replace(base, loops=fast, grad_loops=min(base.grad_loops, fast), grad_window=None)
        case HRMSchedule() | TRMSchedule():
            return replace(base, high_cycles=slow, low_cycles=fast, grad_window=None)
        case Levels(periods=(_, *between, _)):
            return replace(base, periods=(slow, *between, fast), grad_window=None)
    return base


def _widths(size: Size) -> Whole:
    """A quarter to twice the width, in steps that heads divide as they divide the width itself."""
    unit = lcm(8, 2 * size.heads)
    step = unit * max(1, size.width // 4 // unit)
    below = max(0, min(3, (size.width - 1) // step))
    return Whole(size.width - below * step, size.width + max(1, size.width // step) * step, size.width, step)


def _heads(base: RunConfig, width: Whole) -> Iterator[int]:
    """Numbers of heads that every width of the search can be split over, and that the model's parts accept."""
    for heads in sorted({1, 2, 4, 8, 16, base.model.size.heads}):
        splits = all(number % (2 * heads) == 0 for number in (width.low, width.step))
        if heads == base.model.size.heads or (splits and _fits(base, replace(base.model.size, heads=heads))):
            yield heads


def _fits(base: RunConfig, size: Size) -> bool:
    model: ModelConfig = replace(base.model, size=size)
    try:
        with torch.device("meta"):
            HRM(model, base.task.spec())
    except ConfigError:
        return False
    return True


def _halting(base: RunConfig, chosen: Mapping[str, Any], moved: set[str]) -> tuple[HaltingConfig, HaltingConfig]:
    """The policies in training and in evaluation; another kind in training brings its own in evaluation."""
    segments = chosen["segments"]
    longest = max(segments, base.evaluation.max_segments)
    if "halting" not in moved:
        return replace(base.halting, max_segments=segments), replace(base.evaluation, max_segments=longest)
    if chosen["halting"] == "correctness":
        return Correctness(max_segments=segments), Correctness(max_segments=longest)
    return QLearning(max_segments=segments), Fixed(max_segments=segments)


def _optimiser(base: OptimiserConfig, chosen: Mapping[str, Any], moved: set[str]) -> OptimiserConfig:
    kinds: dict[str, type[OptimiserConfig]] = {"adamw": AdamW, "adam_atan2": AdamAtan2Config, "muon": MuonConfig}
    optimiser: Any = kinds[chosen["optimiser"]]() if "optimiser" in moved else base
    if "learning_rate" in moved:
        optimiser = _scaled(optimiser, chosen["learning_rate"])
    if moved & {"weight_decay", "optimiser"} and _has(optimiser, "weight_decay"):
        optimiser = replace(optimiser, weight_decay=chosen["weight_decay"])
    kept: OptimiserConfig = optimiser
    return kept


def _scaled(optimiser: Any, factor: float) -> Any:
    """All learning rates times a factor, those of an optimiser within it too."""
    changes: dict[str, Any] = {"lr": float(f"{optimiser.lr * factor:.4g}")} if _has(optimiser, "lr") else {}
    if _has(optimiser, "rest"):
        changes["rest"] = _scaled(optimiser.rest, factor)
    return replace(optimiser, **changes)


def _has(part: Any, name: str) -> bool:
    return name in {field.name for field in fields(part)}
