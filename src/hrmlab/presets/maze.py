"""Mazes on a CPU: one state a cell, mixed with its four neighbours, so that the weights serve boards of any size."""

from hrmlab.blocks.base import Size
from hrmlab.blocks.relational import Relational
from hrmlab.core.model import ModelConfig
from hrmlab.core.schedules import SingleState
from hrmlab.embeddings import NoPositions, Tokens
from hrmlab.halting import AnswerStability, Correctness
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.presets import recipes
from hrmlab.presets.recipes import Recipe
from hrmlab.presets.sudoku import EVEN, training
from hrmlab.tasks import Maze
from hrmlab.training.config import DataConfig, RunConfig


def maze_9x9(name: str) -> RunConfig:
    return _run(name, Maze(rows=9, columns=9), recipes.MAZE_9X9)


def maze_30x30_hard(name: str) -> RunConfig:
    return _run(name, Maze(size=(30, 30), min_path=110), recipes.MAZE_30X30_HARD)


def _run(name: str, task: Maze, recipe: Recipe) -> RunConfig:
    model = ModelConfig(
        schedule=SingleState(cycles=recipe.cycles),
        block=Relational(),
        embedding=Tokens(),
        positions=NoPositions(),
        halting_head=EVEN,
        size=Size(width=recipe.width, layers=recipe.layers, heads=1, expansion=recipe.expansion, round_to=8),
    )
    return RunConfig(
        name=name,
        task=task,
        model=model,
        training=training(recipe),
        data=DataConfig(train=recipe.train, test=recipe.test, augment=True),
        loss=SoftmaxCrossEntropy(),
        halting=Correctness(max_segments=recipe.segments, exploration=recipe.exploration),
        evaluation=AnswerStability(max_segments=recipe.evaluation_segments, patience=3),
    )
