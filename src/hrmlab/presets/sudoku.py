"""Sudoku on a CPU: a single-state model over cells x digits, and HRM proper on the small boards."""

from hrmlab.blocks.base import Size
from hrmlab.blocks.relational import Relational
from hrmlab.core.heads import HaltingHeadConfig
from hrmlab.core.model import ModelConfig
from hrmlab.core.schedules import HRMSchedule, ScheduleConfig, SingleState
from hrmlab.embeddings import NoPositions, SymbolAxis
from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.presets import recipes
from hrmlab.presets.recipes import Recipe
from hrmlab.tasks import Sudoku
from hrmlab.training.config import DataConfig, RunConfig, TrainingConfig
from hrmlab.training.optimisers import AdamW, MuonConfig

EVEN = HaltingHeadConfig(readout="mean", bias=0.0)
"""Starts from "as likely right as wrong": from -5, a head must first climb for as many steps as a short run has."""


def sudoku_4x4(name: str) -> RunConfig:
    return _single_state(name, Sudoku(box_rows=2, box_cols=2), recipes.SUDOKU_4X4)


def sudoku_6x6(name: str) -> RunConfig:
    return _single_state(name, Sudoku(box_rows=2, box_cols=3), recipes.SUDOKU_6X6)


def sudoku_9x9(name: str) -> RunConfig:
    return _single_state(name, Sudoku(hard_share=recipes.SUDOKU_9X9.hard_share), recipes.SUDOKU_9X9)


def sudoku_9x9_easy(name: str) -> RunConfig:
    return _single_state(name, Sudoku(givens=recipes.EASY_GIVENS), recipes.SUDOKU_9X9_EASY)


def sudoku_9x9_hard(name: str) -> RunConfig:
    return _single_state(name, Sudoku(rating_min=recipes.HARD_RATING), recipes.SUDOKU_9X9_HARD)


def hrm_sudoku_4x4(name: str) -> RunConfig:
    return _hrm(name, Sudoku(box_rows=2, box_cols=2), recipes.HRM_SUDOKU_4X4)


def hrm_sudoku_6x6(name: str) -> RunConfig:
    return _hrm(name, Sudoku(box_rows=2, box_cols=3), recipes.HRM_SUDOKU_6X6)


def _single_state(name: str, task: Sudoku, recipe: Recipe) -> RunConfig:
    halting = Correctness(max_segments=recipe.segments)
    return _run(name, task, recipe, SingleState(cycles=recipe.cycles), EVEN, halting, sure(recipe))


def _hrm(name: str, task: Sudoku, recipe: Recipe) -> RunConfig:
    halting = QLearning(max_segments=recipe.segments)
    head = HaltingHeadConfig(readout="mean")
    return _run(name, task, recipe, HRMSchedule(), head, halting, Fixed(max_segments=recipe.evaluation_segments))


def _run(
    name: str,
    task: Sudoku,
    recipe: Recipe,
    schedule: ScheduleConfig,
    head: HaltingHeadConfig,
    halting: HaltingConfig,
    evaluation: HaltingConfig,
) -> RunConfig:
    model = ModelConfig(
        schedule=schedule,
        block=Relational(relations=("row", "column", "box")),
        embedding=SymbolAxis(),
        positions=NoPositions(),
        halting_head=head,
        size=Size(width=recipe.width, layers=recipe.layers, heads=1, expansion=recipe.expansion, round_to=8),
    )
    return RunConfig(
        name=name,
        task=task,
        model=model,
        training=training(recipe),
        data=DataConfig(train=recipe.train, test=recipe.test),
        loss=SoftmaxCrossEntropy(),
        halting=halting,
        evaluation=evaluation,
    )


def sure(recipe: Recipe) -> Correctness:
    """Evaluation: go on until the model is sure of its answer, for far longer than in training if need be."""
    return Correctness(
        max_segments=recipe.evaluation_segments, threshold=recipe.threshold, restart_every=recipe.restart_every
    )


def training(recipe: Recipe) -> TrainingConfig:
    """How all CPU presets are trained: Muon for the matrices, AdamW for the rest, cosine decay, averaged weights."""
    return TrainingConfig(
        optimiser=MuonConfig(lr=recipe.lr, rest=AdamW(lr=recipe.rest_lr, weight_decay=0.0)),
        batch_size=recipe.batch_size,
        seconds=recipe.seconds,
        decay="cosine",
        clip=1.0,
        ema=recipe.ema,
        evaluate_every=recipe.evaluate_every,
        evaluate_puzzles=200,
        evaluate_segments=32,
        checkpoint_every=recipe.checkpoint_every,
        engine="auto",
    )
