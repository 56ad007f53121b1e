"""What `bench` runs: training steps on random tokens, segments and answers, by any engine."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from hrmlab.core.carry import Batch
from hrmlab.core.eager import Eager, Reference
from hrmlab.core.engines import build
from hrmlab.core.model import HRM
from hrmlab.halting import Fixed, HaltingConfig, QLearning
from hrmlab.inference.solver import Answers, answer
from hrmlab.tasks.base import Examples
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer

REFERENCE_SEGMENTS = 16
"""What the reference gives every puzzle in evaluation."""


def random_examples(config: RunConfig, count: int) -> Examples:
    """Puzzles of the task's shape whose tokens mean nothing: a training step takes as long on them."""
    spec, rng = config.task.spec(), np.random.default_rng(0)
    inputs, labels = rng.integers(1, spec.vocab_size, (2, count, spec.seq_len), dtype=np.int32)
    names = rng.integers(0, spec.num_identifiers, count, dtype=np.int32)
    return Examples(inputs, labels, names, np.zeros(count, dtype=np.int64))


def trainer(config: RunConfig, device: torch.device, model: HRM | None = None) -> Trainer:
    """A run that never ends, on random puzzles."""
    config = replace(config, training=replace(config.training, steps=10**9, seconds=None))
    if model is None:
        torch.manual_seed(0)
        model = HRM(config.model, config.task.spec()).to(device)
    return Trainer(config, model, Feeder(random_examples(config, 4 * config.training.batch_size), 0))


def one_forward(config: RunConfig) -> RunConfig | None:
    """The run with the target of Q(continue) taken from the trajectory; None where nothing is looked ahead for."""
    halting = config.halting
    if not isinstance(halting, QLearning) or halting.bellman != "next":
        return None
    return replace(config, halting=replace(halting, bellman="trajectory"))


def step_by(run: Trainer, engine: str) -> Callable[[], None]:
    """A training step of a run by an engine of that name, which shares the run's weights."""
    computes = build(engine, run.model)

    def step() -> None:
        run.engine = computes
        run.step()

    return step


def segment_by(model: HRM, engine: str, batch: Batch) -> Callable[[], object]:
    """An inference segment of a full batch."""
    computes, states = build(engine, model), model.empty_carry(batch).states

    def segment() -> object:
        with torch.inference_mode():
            return computes(states, batch)

    return segment


def answers_by(
    model: HRM, engine: str, examples: Examples, evaluation: HaltingConfig, slots: int
) -> Callable[[], Answers]:
    """Answering puzzles: by the run's own rule, by the reference engine with all its segments for everyone."""
    computes: Eager = build(engine, model)
    rule: HaltingConfig = evaluation
    if engine == Reference.name:
        rule = Fixed(max_segments=min(evaluation.max_segments, REFERENCE_SEGMENTS))
    return lambda: answer(model, examples, rule, slots, engine=computes)
