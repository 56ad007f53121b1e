"""The last rule of every part: a tiny model with it trains."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hrmlab.blocks import PostNorm, Relational, Size
from hrmlab.checks.asking import Skipped, demand
from hrmlab.checks.tasks import task
from hrmlab.core.heads import HaltingHeadConfig
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import NoPositions, Rotary, SymbolAxis, Tokens
from hrmlab.errors import ConfigError, HrmLabError
from hrmlab.halting import QLearning
from hrmlab.registry import Entry
from hrmlab.tasks import Maze, Sudoku, Task
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.optimisers import AdamW

STEPS, PUZZLES = 2, 6
SIZE = Size(width=16, layers=1, heads=2, expansion=2, round_to=8)


def trains(entry: Entry) -> None:
    """A tiny model with it trains two steps: every weight stays finite, every network moves."""
    config, model = _fitting(entry)
    try:
        examples = config.task.generate(PUZZLES, 0, 3).train
    except HrmLabError as error:
        raise Skipped(f"it generates no puzzles: {error}") from None
    trainer = Trainer(config, model, Feeder(examples, seed=0))
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    for _ in range(STEPS):
        trainer.step()
    now = dict(model.named_parameters())
    lost = [name for name, parameter in now.items() if not parameter.isfinite().all()]
    demand(not lost, f"after {STEPS} steps {', '.join(lost[:1])} is not finite")
    for network in model.networks:
        own = [name for name in now if name.startswith(f"networks.{network}.") and now[name].requires_grad]
        moved = any(not now[name].equal(before[name]) for name in own)
        demand(moved or not own, f"network '{network}' did not move in {STEPS} steps")


def _fitting(entry: Entry) -> tuple[RunConfig, HRM]:
    """The first tiny run that has the part and whose pieces fit each other."""
    reasons = []
    for config in _runs(entry):
        try:
            return config, HRM(config.model, config.task.spec())
        except ConfigError as error:
            reasons.append(str(error))
    raise ConfigError("it fits none of the models tried: " + "; ".join(dict.fromkeys(reasons)))


def _runs(entry: Entry) -> Iterator[RunConfig]:
    """Tiny runs with the part: on cells and on cells x symbols, of a Sudoku and of a maze."""
    boards: list[Task] = [Sudoku(box_rows=2, box_cols=2), Maze(rows=3, columns=3)]
    for board in [task(entry)] if entry.family == "task" else boards:
        cells: dict[str, Any] = {"block": PostNorm(), "embedding": Tokens(), "positions": Rotary()}
        symbols: dict[str, Any] = {"block": Relational(), "embedding": SymbolAxis(), "positions": NoPositions()}
        for parts in (cells, symbols):
            if entry.family in parts:
                parts = parts | {entry.family: entry.config()}
            elif entry.family == "attention":
                parts = parts | {"block": PostNorm(attention=entry.config())}
            run = RunConfig(
                name="check",
                task=board,
                model=ModelConfig(
                    schedule=HRMSchedule(), halting_head=HaltingHeadConfig(readout="mean"), size=SIZE, **parts
                ),
                training=TrainingConfig(optimiser=AdamW(), steps=STEPS, batch_size=4),
                halting=QLearning(max_segments=2),
            )
            yield replace(run, halting=entry.config()) if entry.family == "halting" else run
