"""One puzzle through a model, segment by segment, as data for a page; no answer to it need be known."""

import math
from typing import Any

import numpy as np
import torch

from hrmlab.analysis.attention_maps import attention_places, record_attention
from hrmlab.analysis.film import Array, record_film
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import HaltingConfig
from hrmlab.reports.page import attention_data, puzzle_data
from hrmlab.tasks.base import IGNORE, Examples, Task, Tokens

FIRST, MOST = 32, 256
"""Segments that are run at first, and where the rule has not stopped by then."""
AFTER, FEWEST = 4, 8
"""Segments that are shown after the one at which the rule stops, and in all at the least."""
ROOM = 400_000
"""Bytes of attention weights."""
UNKNOWN = ("number", "rating", "right", "labels")
"""What is said of puzzles whose answer is known."""


def course_of(
    model: HRM, task: Task, puzzle: Tokens, rule: HaltingConfig, identifier: int = 0, segments: int | None = None
) -> dict[str, Any]:
    """The course of a puzzle, shape (N,), under a rule.

    Args:
        identifier: the row of the puzzle table.
        segments: how many; None for a few more than the rule takes.

    Returns:
        as `reports.page.puzzle_data` without what depends on the answer, and solved: for each segment, whether the
        answer obeys the task's rules, None where these are written nowhere; residuals: by level, for each segment, the
        relative change of the state;
        looks: whether there is attention to be seen (`looks_of`).

    Raises:
        ConfigError: no segments, or too many.
    """
    batch = _batch(model, puzzle, identifier)
    depth = _depth(min(rule.max_segments, FIRST) if segments is None else segments)
    film = record_film(model, batch, rule, depth, task.valid)
    if segments is None and not film.stops[0] and depth < min(rule.max_segments, MOST):
        depth = min(rule.max_segments, MOST)
        film = record_film(model, batch, rule, depth, task.valid)
    stop = int(film.stops[0])
    shown = depth if segments is not None or not stop else min(depth, max(stop + AFTER, FEWEST))
    examples = Examples(puzzle[None], np.full_like(puzzle, IGNORE)[None], np.array([identifier]), np.zeros(1, np.int64))
    (course,) = puzzle_data(task, examples, [0], film)
    kept = {name: value for name, value in course.items() if name not in UNKNOWN}
    kept |= {name: kept[name][:shown] for name in ("halt", "answers", "sure", "broken")}
    kept["ways"] = {level: way[:shown] for level, way in kept["ways"].items()}
    answers = film.answers[0, :shown].astype(puzzle.dtype)
    return kept | {
        "solved": [task.solved(bool(some)) for some in task.valid(np.repeat(puzzle[None], shown, 0), answers)],
        "residuals": {level: _plain(found[0, :shown]) for level, found in film.residuals.items()},
        "looks": bool(attention_places(model)),
    }


def looks_of(model: HRM, puzzle: Tokens, segments: int, identifier: int = 0) -> dict[str, Any] | None:
    """Where the puzzle's cells look in so many segments (`reports.page.attention_data`); None without attention.

    Raises:
        ConfigError: no segments, or too many.
    """
    maps = record_attention(model, _batch(model, puzzle, identifier), _depth(segments), ROOM)
    return None if maps is None else attention_data(maps, [0])


def _batch(model: HRM, puzzle: Tokens, identifier: int) -> Batch:
    device = next(model.parameters()).device
    inputs = torch.from_numpy(puzzle.astype(np.int64))[None].to(device)
    return Batch(inputs, torch.full_like(inputs, IGNORE), torch.tensor([identifier], device=device))


def _depth(segments: int) -> int:
    if not 1 <= segments <= MOST:
        raise ConfigError(f"{segments} segments came; wanted 1 to {MOST}")
    return segments


def _plain(values: Array) -> list[float | None]:
    """Of JSON, which has no number for what is none."""
    return [float(f"{value:.4g}") if math.isfinite(value) else None for value in values.tolist()]
