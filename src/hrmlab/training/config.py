"""A complete run as one configuration: data, model, loss, halting, optimisation."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

from pydantic_core import core_schema

from hrmlab.core.model import ModelConfig
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed, HaltingConfig
from hrmlab.losses import LossConfig, SoftmaxCrossEntropy
from hrmlab.migrations import of_today
from hrmlab.registry import Strict
from hrmlab.tasks.base import Task
from hrmlab.training.guard import GuardConfig
from hrmlab.training.optimisers import OptimiserConfig
from hrmlab.training.rows import RowOptimiserConfig, SignSGD


@dataclass(frozen=True, kw_only=True)
class DataConfig(Strict):
    """Which puzzles.

    path: a data-set folder; None generates the task's puzzles.
    train, test: how many to generate.
    seed: of the generation.
    augment: apply the task's random symmetries to training puzzles as they are handed out.
    drop_busy: draw a row for every slot and lose those offered to slots still at work, as the reference does; else rows
        are drawn for free slots only, and an epoch hands out every puzzle.
    """

    path: str | None = None
    train: int = 20000
    test: int = 1000
    seed: int = 0
    augment: bool = False
    drop_busy: bool = False


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Strict):
    """How the weights are found.

    batch_size: slots, of all processes together.
    steps: segments of the whole batch (optimiser steps); None where `seconds` alone limits the run.
    seconds: training time, evaluations not counted; None where `steps` alone limits.
    warmup_steps: linear rise of the learning rates.
    decay: course of the learning rates after the warm-up, down to `min_lr_ratio` of the peak at the end of the budget.
    clip: largest norm of the whole gradient, or None.
    ema: decay of the averaged weights, which evaluation and checkpoints use; None for no average.
    ema_buffers: average the sparse puzzle table too. False takes it as it is (the reference copies it), and a step then
        costs the same however large it is.
    puzzle_optimiser, puzzle_lr, puzzle_weight_decay: of the sparse puzzle table.
    evaluate_every: seconds of training between evaluations, None for one at the end.
    evaluate_puzzles, evaluate_segments: held-out puzzles used by those evaluations, and the most segments that one may
        take (None: what `evaluation` says). A model that is not sure yet would use up whatever it is given.
    checkpoint_every: steps between checkpoints, None for one at the end.
    engine: how segments are computed (`core.engines`). "auto" takes recorded CUDA graphs on a GPU; elsewhere the
        compiled engine where a compiler works, the `seconds` are enough for its half minute at the start to come back,
        and it is the faster when both are measured; the outcome is remembered for this model and machine.
        Configurations of old say `compile`: true, false, "auto".
    segments_per_step: segments that an optimiser step spans, gradient flowing from each into those before; for
        schedules whose rows all carry gradient. Memory and time grow with it.
    recompute: keep only the blocks' inputs in rows with gradient, and compute the rest a second time in the backward
        pass (activation checkpointing, Chen et al. 2016, arXiv 1604.06174). `hrm inspect` counts what that saves.
        The compiled engine obeys it too.
    tensorboard: write the metrics as TensorBoard events too, below RUN/tensorboard.
    guard: what is done when it diverges.
    shard_puzzles: spread the puzzle table's rows over the processes that train together, in place of a whole table for
        each.
    shard_weights: spread weights, gradients, moments and averages over them too (FSDP). A step gathers the weights.
    """

    optimiser: OptimiserConfig
    batch_size: int = 64
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    warmup_steps: int = 0
    decay: Literal["constant", "cosine", "linear"] = "cosine"
    min_lr_ratio: float = 0.0
    clip: float | None = 1.0
    ema: float | None = 0.99
    ema_buffers: bool = True
    puzzle_optimiser: RowOptimiserConfig = field(default_factory=SignSGD)
    puzzle_lr: float = 1e-2
    puzzle_weight_decay: float = 0.1
    evaluate_every: float | None = None
    evaluate_puzzles: int = 500
    evaluate_segments: int | None = None
    checkpoint_every: int | None = None
    engine: Literal["auto", "reference", "eager", "compiled", "captured"] = "eager"
    segments_per_step: int = 1
    recompute: bool = False
    tensorboard: bool = False
    guard: GuardConfig = field(default_factory=GuardConfig)
    shard_puzzles: bool = False
    shard_weights: bool = False

    def __post_init__(self) -> None:
        if self.steps is None and self.seconds is None:
            raise ConfigError("a run needs a budget: set training.steps or training.seconds")
        if self.batch_size < 1:
            raise ConfigError(f"training.batch_size={self.batch_size}; wanted 1 or more")
        if self.segments_per_step < 1:
            raise ConfigError(f"training.segments_per_step={self.segments_per_step}; wanted 1 or more")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return core_schema.no_info_before_validator_function(partial(of_today, "training"), handler(source))


@dataclass(frozen=True, kw_only=True)
class RunConfig(Strict):
    """Everything that decides a run's numbers, with the seeds inside.

    halting: the policy in training; its loss trains the halting head.
    evaluation: the policy in evaluation and solving.
    """

    name: str
    task: Task
    model: ModelConfig
    training: TrainingConfig
    data: DataConfig = field(default_factory=DataConfig)
    loss: LossConfig = field(default_factory=SoftmaxCrossEntropy)
    halting: HaltingConfig
    evaluation: HaltingConfig = field(default_factory=Fixed)

    @property
    def evaluation_in_training(self) -> HaltingConfig:
        """`evaluation`, with no more segments than `training.evaluate_segments`."""
        most = self.training.evaluate_segments or self.evaluation.max_segments
        return replace(self.evaluation, max_segments=min(most, self.evaluation.max_segments))

    def __post_init__(self) -> None:
        puzzle = self.model.puzzle
        if puzzle is not None and puzzle.mapped and self.training.ema is not None and self.training.ema_buffers:
            raise ConfigError(
                "model.puzzle.mapped=true keeps the table out of memory, and its average would be in it; set "
                "training.ema_buffers=false"
            )
        if puzzle is not None and puzzle.examples is not None and self.data.augment:
            raise ConfigError(
                "model.puzzle.examples wants puzzles as they are stored, so that no demonstration is shown to its own "
                "question; set data.augment=false"
            )
        if (window := self.training.segments_per_step) == 1:
            return
        table = self.model.schedule.build()
        if (rows := len(table.updates)) != sum(table.grad_calls().values()) or table.neumann:
            raise ConfigError(
                f"training.segments_per_step={window} wants gradient to flow through whole segments, and this schedule "
                f"cuts it; set model.schedule.grad_window={rows} model.schedule.neumann=0"
            )
