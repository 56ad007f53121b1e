"""What the page's boards show, as data: the board, the courses of puzzles, where cells look."""

import base64
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from hrmlab.analysis.attention_maps import AttentionMaps
from hrmlab.analysis.film import Film
from hrmlab.reports.page.series import probability
from hrmlab.spec import Relation
from hrmlab.tasks.base import Examples, Task

MOST = 24
"""Puzzles on a page."""
FEWEST = 2
COURSES = 1_200_000
"""Bytes that the courses of all puzzles may take, more or less."""
CELL = 6
"""Bytes of a cell after a segment, as JSON: its token, a percentage, two commas."""
LINE = 32
"""Cells of a sequence in one line."""


def room_for(cells: int, segments: int) -> int:
    """How many puzzles a page has room for."""
    return int(np.clip(COURSES // (CELL * cells * segments), FEWEST, MOST))


def board_data(task: Task) -> dict[str, Any]:
    """shape: rows and columns (a sequence is wrapped); faces: the `Face` of each token; boxes: see `_boxes`."""
    spec = task.spec()
    shape = spec.shape if len(spec.shape) == 2 else (-(-spec.seq_len // LINE), min(spec.seq_len, LINE))
    faces = [asdict(face) for face in task.faces()]
    return {"shape": list(shape), "cells": spec.seq_len, "faces": faces, "boxes": _boxes(spec.relations, shape)}


def _boxes(relations: Sequence[Relation], shape: tuple[int, ...]) -> list[int] | None:
    """The group of each cell in the first relation whose groups are wider and taller than a cell: lines go between."""
    for relation in relations:
        if relation.groups is None or relation.groups.size != shape[0] * shape[1]:
            continue
        groups = np.asarray(relation.groups).reshape(shape)
        if len(np.unique(groups)) > 1 and all(_spans(groups == group) for group in np.unique(groups)):
            found: list[int] = groups.ravel().tolist()
            return found
    return None


def _spans(members: npt.NDArray[np.bool_]) -> bool:
    return bool(members.any(0).sum() > 1 and members.any(1).sum() > 1)


def puzzle_data(task: Task, examples: Examples, numbers: Sequence[int], film: Film) -> list[dict[str, Any]]:
    """The courses of a film's puzzles.

    Args:
        numbers: of each, among the held-out puzzles, from 0.

    Returns:
        for each: number, rating, given, labels; stop (0: the rule never stopped it); of every segment: right, halt (the
        halting head's probability), answers, sure (percent), broken (cells that break a rule); ways and shares by level
        (see `Film`).
    """
    halt = probability(film.values)
    return [
        {
            "number": number,
            "rating": int(examples.rating[row]),
            "stop": int(film.stops[row]),
            "right": film.right[row].astype(int).tolist(),
            "halt": [round(value, 4) if np.isfinite(value) else None for value in halt[row].tolist()],
            "given": examples.inputs[row].tolist(),
            "labels": examples.labels[row].tolist(),
            "answers": film.answers[row].tolist(),
            "sure": np.nan_to_num(100 * film.sure[row]).round().astype(int).tolist(),
            "broken": [
                np.flatnonzero(task.broken(examples.inputs[row], answer)).tolist() for answer in film.answers[row]
            ],
            "ways": {level: np.round(way[row], 3).tolist() for level, way in film.ways.items()},
            "shares": {level: round(float(share[row]), 3) for level, share in film.shares.items()},
        }
        for row, number in enumerate(numbers)
    ]


def attention_data(maps: AttentionMaps, numbers: Sequence[int]) -> dict[str, Any]:
    """Attention weights for the page: `where` as little-endian uint16 and `weight` as uint8, base64, in the order
    puzzle, segment, map, head, cell, rank, whose sizes are `shape`."""
    return {
        "puzzles": list(numbers),
        "segments": maps.segments,
        "maps": [{"level": level, "block": block} for level, block in zip(maps.levels, maps.blocks, strict=True)],
        "heads": maps.heads,
        "averaged": maps.averaged,
        "slots": maps.slots,
        "shape": list(maps.where.shape),
        "where": base64.b64encode(maps.where.astype("<u2").tobytes()).decode(),
        "weight": base64.b64encode(maps.weight.tobytes()).decode(),
    }
