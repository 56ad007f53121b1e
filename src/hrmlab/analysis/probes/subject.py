"""What probes look at: a model, puzzles that it has not seen, and what is known of its training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab.analysis.probes.course import Course, record_course
from hrmlab.analysis.tracing.unroll import batch_of
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import HaltingConfig
from hrmlab.losses import LossConfig
from hrmlab.tasks.base import Examples, Task


class Learner(Protocol):
    """A training run in progress that a probe may take steps of, on weights of its own (`training.loop.Trainer`)."""

    model: Any
    optimisers: Any
    carry: Any

    def step(self) -> None: ...


@dataclass(eq=False)
class Subject:
    """A model under examination. Probes share it, and what it has computed once.

    model: the weights under examination, in evaluation mode, in float32.
    task, examples: held-out puzzles with their answers, as many as the preset of probes asks for.
    loss, halting, evaluation: the run's loss, its policy in training and in evaluation.
    segments: how many segments a full run takes.
    settings: the run's configuration as plain data, `settings["training"]["clip"]`; empty where there is none.
    train: some of the training puzzles, None where they are gone.
    metrics: the lines of metrics.jsonl, empty where there is no run folder.
    learner: makes a trainer on copies of the weights, None where the run's training cannot be repeated here.
    seed: of everything that a probe draws.
    """

    model: HRM
    task: Task
    examples: Examples
    loss: LossConfig
    halting: HaltingConfig
    evaluation: HaltingConfig
    segments: int = 16
    settings: Mapping[str, Any] = field(default_factory=dict)
    train: Examples | None = None
    metrics: Sequence[Mapping[str, Any]] = ()
    learner: Callable[[], Learner] | None = None
    seed: int = 0

    @cached_property
    def batch(self) -> Batch:
        """All held-out puzzles of the subject."""
        return batch_of(self.model, self.examples)

    def some(self, count: int) -> Batch:
        """The first `count` of them, or all if they are fewer."""
        return batch_of(self.model, self.examples.part(slice(min(count, len(self.examples)))))

    @cached_property
    def course(self) -> Course:
        """One run of all puzzles to the last segment, with what most probes ask of it."""
        return record_course(self.model, self.batch, self.segments)

    @cached_property
    def untrained(self) -> HRM:
        """The same architecture with fresh weights, for comparison."""
        state = torch.random.get_rng_state()
        torch.manual_seed(self.seed + 1)
        fresh = HRM(self.model.config, self.model.spec)
        torch.random.set_rng_state(state)
        return fresh.to(self.model.initial.device).eval()

    def generator(self, salt: int = 0) -> torch.Generator:
        """A source of random numbers of a probe's own: the same at each call."""
        return torch.Generator().manual_seed(1_000_003 * self.seed + salt)

    def rng(self, salt: int = 0) -> np.random.Generator:
        """The same for numpy."""
        return np.random.default_rng([self.seed, salt])

    def unknown_cells(self) -> Tensor:
        """(n, N) booleans: cells whose answer counts and is not given in the puzzle."""
        return (self.batch.labels >= 0) & (self.batch.labels != self.batch.inputs)


def parameter_group(name: str) -> str:
    """Which part of the model a parameter belongs to: `low.2`, `embedding`, `halting_head`, ..."""
    parts = name.split(".")
    if parts[0] == "networks":
        return f"{parts[1]}.{parts[3]}" if parts[2] == "blocks" else f"{parts[1]}.{parts[2]}"
    return parts[0]


def groups_of(model: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Parameters by `parameter_group`, in order of the model."""
    found: dict[str, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        found.setdefault(parameter_group(name), []).append(parameter)
    return found
