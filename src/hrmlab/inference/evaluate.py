"""Accuracy of a model on held-out puzzles, segment by segment."""

import time
from collections.abc import Callable

import numpy as np

from hrmlab.core.model import HRM
from hrmlab.halting import HaltingConfig
from hrmlab.inference.intervals import wilson
from hrmlab.inference.solver import Answers, answer
from hrmlab.results import Scores
from hrmlab.tasks.base import IGNORE, Examples, Task

__all__ = ["Answers", "Scores", "answer", "evaluate"]


def evaluate(
    model: HRM,
    task: Task,
    examples: Examples,
    halting: HaltingConfig,
    *,
    batch_size: int = 128,
    progress: Callable[[int], None] | None = None,
) -> Scores:
    """Answer every puzzle and compare with its label and with the task's rules.

    Args:
        progress: called with the number of puzzles just finished.

    Raises:
        DataError: there are no puzzles.
    """
    start = time.perf_counter()
    answers = answer(model, examples, halting, batch_size, check=task.valid, progress=progress)
    seconds = time.perf_counter() - start
    count, scored = len(examples), examples.labels != IGNORE
    right = (answers.tokens == examples.labels) & scored
    exact = int((right.sum(1) == scored.sum(1)).sum())
    valid = int(task.valid(examples.inputs, answers.tokens).sum())
    return Scores(
        n=count,
        exact=exact / count,
        exact_interval=wilson(exact, count),
        cell=float(right.sum() / max(int(scored.sum()), 1)),
        valid=valid / count,
        valid_interval=wilson(valid, count),
        mean_segments=float(answers.segments.mean()),
        p95_segments=float(np.percentile(answers.segments, 95)),
        by_segment=answers.right_by_segment,
        seconds=seconds,
        puzzles_per_second=count / max(seconds, 1e-9),
    )
