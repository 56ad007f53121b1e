"""Engines by name for models that answer puzzles."""

from collections.abc import Iterable, Sequence
from itertools import islice

from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.halting import HaltingConfig
from hrmlab.inference.engine import SAMPLE, Ahead, engine_of
from hrmlab.inference.puzzles import Puzzle
from hrmlab.tasks.base import Task
from hrmlab.terminal import note

__all__ = ["SAMPLE", "engines_for"]


def engines_for(
    name: str,
    models: Sequence[HRM],
    task: Task,
    rule: HaltingConfig,
    puzzles: Iterable[Puzzle],
    count: float,
    *,
    slots: int,
    attempts: int = 1,
    quiet: bool = False,
) -> list[Eager]:
    """One for each model; with "auto", one line is said where it is not the eager one.

    Args:
        puzzles: the first of them, 32 or as many as there are.
        count: how many there are in all, perhaps estimated.

    Raises:
        ConfigError: no such engine, or it cannot work here.
    """
    first = list(islice(puzzles, SAMPLE))
    engines = [engine_of(name, model, rule, Ahead.of(first, count, attempts), slots, task.valid) for model in models]
    if name == "auto" and any(engine.name != Eager.name for engine in engines):
        note(f"answering with the {engines[0].name} engine, which was the faster when measured", quiet)
    return engines
