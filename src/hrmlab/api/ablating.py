"""What one cell of a study does: train a run, and measure it under every evaluation that the study asks for."""

import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from hrmlab.api.puzzles import held_out
from hrmlab.api.settings import choose_device, use_threads
from hrmlab.api.targets import find_run
from hrmlab.api.training import train
from hrmlab.config import decode, load_json
from hrmlab.core.model import HRM
from hrmlab.errors import HrmLabError
from hrmlab.inference.attempts import Ensemble
from hrmlab.inference.evaluate import Answers, evaluate_attempts
from hrmlab.inference.evaluate import evaluate as measure
from hrmlab.studies.measuring import Measuring
from hrmlab.studies.store import About
from hrmlab.tasks.base import IGNORE, Examples, Task
from hrmlab.training.checkpoint import checkpoints

MEASURES = ("exact", "cell", "valid", "mean_segments", "p95_segments")


def run_cell(folder: Path) -> dict[str, dict[str, Any]]:
    """Train and measure a cell of a study folder, or go on where an earlier attempt ended.

    Returns:
        by evaluation: the measures, the optimiser steps taken, and `right`, a character a held-out puzzle, 1 or 0.

    Raises:
        HrmLabError: what cannot be used, the training was interrupted, or another process works on the cell: one that
            was left behind in a queue, say, when its study was killed.
    """
    try:
        with FileLock(folder / "lock", timeout=0):
            return _run_cell(folder)
    except Timeout:
        raise HrmLabError(f"another process works on {folder}; wait for it, or end it") from None


def _run_cell(folder: Path) -> dict[str, dict[str, Any]]:
    use_threads(1)
    path = folder / "run"
    if not (path / "results.json").is_file():
        _train(folder / "config.json", path)
    run = find_run(path)
    model, task = run.load(choose_device()), run.config.task
    examples, _ = held_out(run.config, quiet=True)
    about = load_json(folder / "cell.json", About)
    steps = int(run.weights.parent.name)
    return {
        name: {"steps": steps, **_measured(model, task, examples, decode(Measuring, data, f"evaluation '{name}'"))}
        for name, data in about.evaluations.items()
    }


def _train(config: Path, path: Path) -> None:
    if checkpoints(path / "checkpoints"):
        done = train(resume=path, threads=1, quiet=True)
    else:
        shutil.rmtree(path, ignore_errors=True)  # it ended before its first checkpoint
        done = train(config, out=path, threads=1, quiet=True)
    if done.interrupted:
        raise HrmLabError(f"interrupted at step {done.steps}; it will be gone on with")


def _measured(model: HRM, task: Task, examples: Examples, how: Measuring) -> dict[str, Any]:
    right: list[str] = []

    def see(slab: Examples, answers: Answers) -> None:
        rows = ((answers.tokens == slab.labels) | (slab.labels == IGNORE)).all(axis=1)
        right.append("".join("01"[int(row)] for row in rows))

    votes = how.voting
    if votes.attempts > 1:
        ensemble = Ensemble([model], task, how.halting, attempts=votes.attempts, vary=votes.vary)
        scores, _ = evaluate_attempts(ensemble, task, examples, see=see)
    else:
        scores = measure(model, task, examples, how.halting, see=see)
    return {name: getattr(scores, name) for name in MEASURES} | {"right": "".join(right)}
