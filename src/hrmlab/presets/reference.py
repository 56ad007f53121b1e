"""The published runs of HRM and TRM on Sudoku-Extreme and Maze-Hard, sizes and schedules of training as released.

They read converted data sets; `hrmlab.presets.table` knows how each is made. Steps are epochs * groups / batch size.
"""

from hrmlab.blocks import MLPMixer, PostNorm
from hrmlab.blocks.base import BlockConfig, Size
from hrmlab.core.model import ModelConfig
from hrmlab.core.schedules import HRMSchedule, ScheduleConfig, TRMSchedule
from hrmlab.embeddings import NoPositions, PositionsConfig, PuzzleConfig, Rotary, Tokens
from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.losses import StablemaxCrossEntropy
from hrmlab.tasks import Maze, Sudoku, Task
from hrmlab.training.config import DataConfig, RunConfig, TrainingConfig
from hrmlab.training.optimisers import AdamAtan2Config

PUZZLES, BATCH, SEGMENTS = 1000, 768, 16

SUDOKU_EXTREME = "data/sudoku-extreme-1k-aug-1000"
MAZE_HARD = "data/maze-30x30-hard-1k"


def hrm_sudoku_extreme(name: str) -> RunConfig:
    return hrm(name, Sudoku(), SUDOKU_EXTREME)


def hrm_maze_hard(name: str) -> RunConfig:
    return hrm(name, Maze(size=(30, 30), min_path=110), MAZE_HARD)


def trm_sudoku_extreme(name: str) -> RunConfig:
    return trm(name, Sudoku(), SUDOKU_EXTREME, TRMSchedule(high_cycles=3, low_cycles=6), PostNorm(), Rotary())


def trm_mlp_sudoku_extreme(name: str) -> RunConfig:
    return trm(name, Sudoku(), SUDOKU_EXTREME, TRMSchedule(high_cycles=3, low_cycles=6), MLPMixer(), NoPositions())


def trm_maze_hard(name: str) -> RunConfig:
    maze = Maze(size=(30, 30), min_path=110)
    return trm(name, maze, MAZE_HARD, TRMSchedule(high_cycles=3, low_cycles=4), PostNorm(), Rotary())


def hrm(name: str, task: Task, path: str) -> RunConfig:
    """HRM with the parameters of its paper."""
    model = ModelConfig(
        schedule=HRMSchedule(high_cycles=2, low_cycles=2),
        block=PostNorm(),
        embedding=Tokens(),
        positions=Rotary(),
        puzzle=PuzzleConfig(width=512),
        size=Size(width=512, layers=4, heads=8, expansion=4.0),
    )
    return _run(name, task, path, model, QLearning(max_segments=SEGMENTS), epochs=20000, ema=None)


def trm(
    name: str, task: Task, path: str, schedule: ScheduleConfig, block: BlockConfig, positions: PositionsConfig
) -> RunConfig:
    """TRM with the parameters of its paper."""
    model = ModelConfig(
        schedule=schedule,
        block=block,
        embedding=Tokens(),
        positions=positions,
        puzzle=PuzzleConfig(width=512, slots=16),
        size=Size(width=512, layers=2, heads=8, expansion=4.0),
    )
    return _run(name, task, path, model, Correctness(max_segments=SEGMENTS), epochs=50000, ema=0.999)


def _run(
    name: str, task: Task, path: str, model: ModelConfig, halting: HaltingConfig, *, epochs: int, ema: float | None
) -> RunConfig:
    return RunConfig(
        name=name,
        task=task,
        model=model,
        training=TrainingConfig(
            optimiser=AdamAtan2Config(lr=1e-4, betas=(0.9, 0.95), weight_decay=1.0),
            batch_size=BATCH,
            steps=epochs * PUZZLES // BATCH,
            warmup_steps=2000,
            decay="constant",
            clip=None,
            ema=ema,
            puzzle_lr=1e-4,
            puzzle_weight_decay=1.0,
            checkpoint_every=2000,
        ),
        data=DataConfig(path=path, train=PUZZLES, test=1000),
        loss=StablemaxCrossEntropy(),
        halting=halting,
        evaluation=Fixed(max_segments=SEGMENTS),
    )
