"""G3: what a change costs, counted and timed."""

from dataclasses import replace
from typing import Any

import torch

from hrmlab.analysis.timing import interleaved
from hrmlab.api import steps
from hrmlab.core.cost import costs
from hrmlab.core.model import HRM
from hrmlab.results.specialist import Evidence, Gate
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import Trial
from hrmlab.studies.work import work_of
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.engine import engine_of
from hrmlab.training.memory import memory

SECONDS = 3.0
COUNTED = ("parameters", "operations_segment", "operations_training_step", "memory_training", "memory_inference")


def cost(trial: Trial) -> Gate:
    """Both models' costs beside each other; a change that is for a cost must lower it."""
    values = trial.place.measure("cost")
    record = trial.ledger.append("cost", {"proposal": trial.proposal.id, "threads": torch.get_num_threads()}, values)
    aim, passed = trial.proposal.aim, None
    if aim in COUNTED:
        passed = values["ratio"][aim] < 1
    words = summary(record)
    if passed is False:
        words += f" It does not lower `{aim}`, which it is for."
    return trial.gate("cost", passed is not False, words, record.id)


def measured(base: RunConfig, changed: RunConfig) -> dict[str, Any]:
    """Both models' costs, how many times as much, and milliseconds of a step."""
    values: dict[str, dict[str, float]] = {"base": counted(base), "changed": counted(changed)}
    values |= timed(base, changed)
    values["ratio"] = {name: values["changed"][name] / max(values["base"][name], 1) for name in COUNTED}
    return values


def summary(record: Evidence) -> str:
    """Costs in words, as multiples of the base's."""
    parts = {
        "parameters": "parameters",
        "operations_segment": "operations of a segment",
        "operations_training_step": "of a training step",
        "memory_training": "memory in training",
        "memory_inference": "in inference",
    }
    said = ", ".join(f"{words} times {cite(record, f'ratio.{name}', '.2f')}" for name, words in parts.items())
    now, before = (cite(record, f"milliseconds.{name}", ".1f") for name in ("changed", "base"))
    return f"Against the base: {said}; a training step of a batch takes {now} milliseconds here, before {before}."


def counted(config: RunConfig) -> dict[str, float]:
    """Parameters, operations and bytes; no weights are made."""
    with torch.device("meta"):
        model = HRM(config.model, config.task.spec())
    price = costs(config.model, config.task.spec())
    work, held = work_of(config, price), memory(config, model, price)
    return {
        "parameters": work.parameters,
        "operations_segment": work.segment_flops,
        "operations_training_step": work.step_flops,
        "memory_training": held["training"],
        "memory_inference": held["inference"],
    }


def timed(base: RunConfig, changed: RunConfig) -> dict[str, dict[str, float]]:
    """Milliseconds of a training step, by turns, medians."""
    trainers = {
        name: steps.trainer(replace(config, training=_eager(config)), torch.device("cpu"))
        for name, config in (("base", base), ("changed", changed))
    }
    for run in trainers.values():
        run.engine = engine_of(run.config, run.model, lambda engine: None)
        run.step()
    found = interleaved({name: run.step for name, run in trainers.items()}, SECONDS)
    return {
        "milliseconds": {name: 1e3 * timing.median for name, timing in found.items()},
        "deviation": {name: 1e3 * timing.mad for name, timing in found.items()},
    }


def _eager(config: RunConfig) -> TrainingConfig:
    """ "auto" would compile for half a minute to find out whether that is worth it."""
    return replace(config.training, engine="eager") if config.training.engine == "auto" else config.training
