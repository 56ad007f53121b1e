"""How a few puzzles are answered, segment by segment: every cell, the halting head, and the way of the states."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import Check, HaltingConfig

Array = npt.NDArray[Any]

ROOM = 2**25
"""Numbers of states kept at a time, on the way to the plane that shows them best."""


@dataclass(frozen=True)
class Film:
    """p puzzles over T segments, run to the end whenever the rule would have stopped them.

    answers: (p, T, N) tokens. sure: (p, T, N), probability of the token answered. right: (p, T), wholly right.
    values: (p, T, 2), logits of the halting head. stops: (p,), the segment, from 1, after which the rule stops a puzzle
    by its own choice; 0 where it never does.
    ways: by level, (p, T, 2), the state after each segment, all positions together, on its two principal axes (of this
    puzzle and level alone, centred; PCA as in arXiv 2506.21734, figure 3). shares: by level, (p,), the part of the
    variance that these two axes hold. residuals: by level, (p, T), how far a segment moved the state, |z - z'| / |z|.
    """

    answers: Array
    sure: Array
    right: Array
    values: Array
    stops: Array
    ways: dict[str, Array]
    shares: dict[str, Array]
    residuals: dict[str, Array]

    def __len__(self) -> int:
        return len(self.answers)


@torch.no_grad()
def record_film(model: HRM, batch: Batch, rule: HaltingConfig, segments: int, check: Check | None = None) -> Film:
    """Run a batch for `segments` under a rule, which may steer and blend answers as it does in evaluation.

    Args:
        check: the task's rules, for halting rules that ask for them.
    """
    states = model.empty_carry(batch).states
    each = segments * sum(state[0].numel() for state in states.values())
    step = max(1, ROOM // max(each, 1))
    parts = [_part(model, _rows(batch, start, step), rule, segments, check) for start in range(0, len(batch), step)]

    def joined(name: str) -> Array:
        return np.concatenate([getattr(part, name) for part in parts])

    def by_level(name: str) -> dict[str, Array]:
        return {level: np.concatenate([getattr(part, name)[level] for part in parts]) for level in states}

    return Film(
        answers=joined("answers"),
        sure=joined("sure"),
        right=joined("right"),
        values=joined("values"),
        stops=joined("stops"),
        ways=by_level("ways"),
        shares=by_level("shares"),
        residuals=by_level("residuals"),
    )


def principal_plane(points: Tensor) -> tuple[Tensor, Tensor]:
    """Points (T, D) on their two principal axes, (T, 2), and the share of the variance that these hold.

    The axes are turned so that the point farthest out on each lies on its positive side.
    """
    points = points.nan_to_num(0, 0, 0).double()
    centred = points - points.mean(0)
    variances, axes = torch.linalg.eigh(centred @ centred.T)  # T is far below D
    variances = variances.flip(0).clamp_min(0)
    plane = torch.zeros(len(points), 2, dtype=torch.float64)
    count = min(2, len(points))
    plane[:, :count] = axes.flip(1)[:, :count] * variances[:count].sqrt()
    farthest = plane.gather(0, plane.abs().argmax(0, keepdim=True))
    plane = plane * torch.where(farthest < 0, -1.0, 1.0)
    return plane, variances[:2].sum() / variances.sum().clamp_min(1e-30)


def telling(right: Array, rating: Array, most: int) -> list[int]:
    """Which puzzles to show, by number: up to half of them wrong at the end, the others right, easy to hard.

    Args:
        right: (n, T), wholly right after each segment.
        rating: (n,), difficulty.
    """
    ranked = np.argsort(rating, kind="stable")
    wrong, others = ranked[~right[ranked, -1]], ranked[right[ranked, -1]]
    few = _spread(wrong, max(most // 2, most - len(others)))
    return sorted([*few, *_spread(others, most - len(few))])


def _spread(numbers: Array, most: int) -> Sequence[int]:
    """Up to `most` of them, evenly spaced from first to last."""
    if len(numbers) > most:
        numbers = numbers[np.linspace(0, len(numbers) - 1, most).round().astype(int)]
    chosen: list[int] = numbers.tolist()
    return chosen


def _part(model: HRM, batch: Batch, rule: HaltingConfig, segments: int, check: Check | None) -> Film:
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, rule.first_allowed(len(batch), None).to(carry.steps.device))
    answers: list[Tensor] = []
    sure: list[Tensor] = []
    right: list[Tensor] = []
    values: list[Tensor] = []
    states = {level: [state.flatten(1).float().cpu()] for level, state in carry.states.items()}
    stops = torch.zeros_like(carry.steps)
    for _ in range(segments):
        step = segment(model, carry, rule, check=check)
        stops = torch.where((stops == 0) & rule.chooses(step.view, carry.first_allowed), step.view.steps, stops)
        carry = step.carry
        probability, answer = rule.answer(step.view).float().softmax(-1).max(-1)
        answers.append(answer)
        sure.append(probability)
        right.append(((answer == batch.labels) | (batch.labels < 0)).all(-1))
        values.append(step.output.values)
        for level, state in carry.states.items():
            states[level].append(state.flatten(1).float().cpu())
    moved = {level: torch.stack(found, 1) for level, found in states.items()}
    planes = {level: [principal_plane(way[1:]) for way in ways] for level, ways in moved.items()}
    return Film(
        answers=_numbers(answers),
        sure=_numbers(sure),
        right=_numbers(right),
        values=_numbers(values),
        stops=stops.cpu().numpy(),
        ways={level: torch.stack([plane for plane, _ in found]).numpy() for level, found in planes.items()},
        shares={level: torch.stack([share for _, share in found]).numpy() for level, found in planes.items()},
        residuals={level: _residual(ways).numpy() for level, ways in moved.items()},
    )


def _residual(ways: Tensor) -> Tensor:
    """(p, T + 1, D), from the initial state on -> (p, T)."""
    residual: Tensor = ways.diff(dim=1).norm(dim=-1) / ways[:, 1:].norm(dim=-1).clamp_min(1e-30)
    return residual


def _numbers(column: list[Tensor]) -> Array:
    """T tensors of shape (p, ...) -> (p, T, ...)."""
    stacked: Array = torch.stack(column, 1).cpu().numpy()
    return stacked


def _rows(batch: Batch, start: int, count: int) -> Batch:
    rows = slice(start, start + count)
    return Batch(batch.inputs[rows], batch.labels[rows], batch.identifiers[rows])
