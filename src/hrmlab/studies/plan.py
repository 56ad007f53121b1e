"""A study as data: a base, what is changed of it, budget and seeds; and the cells that it comes to.

A cell is one training run: an arm with a seed. In all arms a seed gives the same order of training puzzles, the same
held-out puzzles, and the same first weights as far as the arms have the same parameters.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hrmlab.config import encode
from hrmlab.core.cost import Costs, costs
from hrmlab.core.model import ModelConfig
from hrmlab.errors import ConfigError
from hrmlab.registry import Strict
from hrmlab.studies.designs import Design, arms_of
from hrmlab.studies.measuring import Measuring, measuring
from hrmlab.studies.verdict import Question
from hrmlab.studies.work import Work, matched, work_of
from hrmlab.tasks.dataset import task_of
from hrmlab.training.config import RunConfig
from hrmlab.training.overrides import override_run

OWN = "own"
"""The evaluation that a run's configuration itself asks for."""


@dataclass(frozen=True, kw_only=True)
class Allowance(Strict):
    """What every run may use up, one of: optimiser steps, seconds of training, or floating-point operations.

    Seconds compare fairly only where every process has a core to itself, as the first one does.
    """

    steps: int | None = None
    seconds: float | None = None
    flops: float | None = None

    def __post_init__(self) -> None:
        given = {name: value for name, value in encode(self).items() if value is not None}
        if len(given) != 1 or min(given.values()) <= 0:
            raise ConfigError(f"budget {given or 'nothing'} came; wanted one of steps, seconds, flops, more than 0")


@dataclass(frozen=True, kw_only=True)
class Study(Strict):
    """Everything that decides a study's numbers.

    base, overrides: a preset, run or configuration file, and what all arms change of it.
    design, factors: by factor, by level, the overrides that make it (`studies.designs`).
    evaluations: by name, overrides of `evaluation` and `voting` (`voting.attempts=8`) under which every trained model
        is measured beside its own: the columns of a train x evaluate matrix.
    seeds: of first weights and puzzle order; the same in all arms.
    questions: the measures that are compared, the first one deciding.
    """

    name: str
    base: str
    overrides: tuple[str, ...] = ()
    design: Design = "one_factor"
    factors: dict[str, dict[str, tuple[str, ...]]] = field(default_factory=dict)
    evaluations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    budget: Allowance
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    questions: tuple[Question, ...] = (Question(),)

    def __post_init__(self) -> None:
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            raise ConfigError(f"seeds {list(self.seeds)} came; wanted at least one, and no seed twice")
        if not self.questions:
            raise ConfigError("no questions came; wanted at least one measure to compare, e.g. {'measure': 'exact'}")
        if OWN in self.evaluations:
            raise ConfigError(f"evaluations: '{OWN}' is the name of the base's own evaluation; choose another name")


@dataclass(frozen=True)
class Cell:
    """One run. id: of its complete configuration, the same wherever it is planned. evaluations: by name."""

    id: str
    arm: str
    seed: int
    config: RunConfig
    evaluations: Mapping[str, Measuring]

    def plain(self) -> dict[str, Any]:
        """As JSON-like data."""
        config, evaluations = encode(self.config), encode(dict(self.evaluations))
        return {"id": self.id, "arm": self.arm, "seed": self.seed, "config": config, "evaluations": evaluations}


@dataclass(frozen=True)
class Plan:
    """The cells of a study, seed by seed. arms: the work of each; the first is the reference.

    matched: the quantities of `Work` that are alike in all arms.
    """

    study: Study
    arms: dict[str, Work]
    matched: list[str]
    cells: list[Cell]


def expand(study: Study, base: RunConfig) -> Plan:
    """The cells of a study.

    Args:
        base: what `study.base` stands for.

    Raises:
        ConfigError: overrides that do not fit, that change what only the study may (seed, budget, held-out puzzles), or
            that make two arms the same.
        DataError: there is no data set at `data.path`.
    """
    shared = override_run(base, study.overrides)
    _same_training(base, shared, "overrides")
    if shared.data.path is not None:
        shared = replace(shared, task=task_of(Path(shared.data.path)))
    arms: dict[str, RunConfig] = {}
    work: dict[str, Work] = {}
    priced: list[tuple[ModelConfig, Costs]] = []
    for name, overrides in arms_of(study.design, study.factors).items():
        config = override_run(shared, overrides)
        _same_training(shared, config, name)
        _same_puzzles(shared, config, name)
        arms[name], work[name] = _within(study.budget, config, _price(config, priced))
    evaluations = {arm: _evaluations(study, config) for arm, config in arms.items()}
    cells = [_cell(arm, seed, config, evaluations[arm]) for seed in study.seeds for arm, config in arms.items()]
    _all_differ(cells)
    return Plan(study, work, matched(work.values()), cells)


def _price(config: RunConfig, priced: list[tuple[ModelConfig, Costs]]) -> Costs:
    """The costs of an arm's model, counted once for arms that differ elsewhere; all of them have one task."""
    for model, price in priced:
        if model == config.model:
            return price
    priced.append((config.model, costs(config.model, config.task.spec())))
    return priced[-1][1]


def _within(budget: Allowance, config: RunConfig, price: Costs) -> tuple[RunConfig, Work]:
    work, steps = work_of(config, price), budget.steps
    if budget.flops is not None:
        steps = max(1, round(budget.flops / work.step_flops))
    training = replace(config.training, steps=steps, seconds=budget.seconds)
    return replace(config, training=training), work.limited(steps, budget.seconds)


def _cell(arm: str, seed: int, config: RunConfig, evaluations: Mapping[str, Measuring]) -> Cell:
    config = replace(config, training=replace(config.training, seed=seed))
    content = json.dumps(encode(config), sort_keys=True, ensure_ascii=False)
    return Cell(hashlib.sha256(content.encode()).hexdigest()[:16], arm, seed, config, evaluations)


def _evaluations(study: Study, config: RunConfig) -> dict[str, Measuring]:
    """How an arm's models are measured, by the evaluation's name."""
    own = {OWN: Measuring(halting=config.evaluation)}
    return own | {name: measuring(config, name, overrides) for name, overrides in study.evaluations.items()}


def _same_training(before: RunConfig, after: RunConfig, where: str) -> None:
    for name in ("seed", "steps", "seconds"):
        if getattr(before.training, name) != getattr(after.training, name):
            raise ConfigError(f"{where}: training.{name} is the study's to set; use its 'seeds' and 'budget'")


def _same_puzzles(before: RunConfig, after: RunConfig, arm: str) -> None:
    if before.task != after.task:
        raise ConfigError(f"{arm}: it changes the task, and arms must answer the same puzzles; make it two studies")
    for name in ("path", "test", "seed"):
        if getattr(before.data, name) != getattr(after.data, name):
            raise ConfigError(f"{arm}: data.{name} changes the held-out puzzles; set it in 'overrides', for all arms")


def _all_differ(cells: list[Cell]) -> None:
    seen: dict[str, str] = {}
    for cell in cells:
        if cell.id in seen:
            raise ConfigError(f"arms '{seen[cell.id]}' and '{cell.arm}' are the same configuration; drop one of them")
        seen[cell.id] = cell.arm
