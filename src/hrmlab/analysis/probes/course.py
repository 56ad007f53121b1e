"""One whole run, recorded as it streams by: the sizes and changes of states row by row, and every answer."""

from dataclasses import dataclass

import torch
from torch import Tensor

from hrmlab.analysis.tracing.unroll import beginning
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States

CHUNK = 64
"""Puzzles that run together."""


@dataclass(frozen=True)
class Course:
    """n puzzles over T segments of a schedule with R rows.

    levels: which level each row updates.
    norm: (n, T, R), length of the updated level's state, all positions together (Frobenius).
    residual: (n, T, R), length of its change since that level's own last update.
    overlap: (n, T, R), mean over positions of the cosine between the state's vectors before and after.
    change: (n, T, N'), change of each position of the answer level over a segment, over its length before.
    tokens: (n, T, N) answers. values: (n, T, 2). right: (n, T). loss: (n, T), mean cross-entropy of the scored cells.
    entropy: (n, T), mean entropy of the answers' distributions over the scored cells, nats.
    """

    levels: tuple[str, ...]
    norm: Tensor
    residual: Tensor
    overlap: Tensor
    change: Tensor
    tokens: Tensor
    values: Tensor
    right: Tensor
    loss: Tensor
    entropy: Tensor

    def relative(self) -> Tensor:
        """(n, T, R): residual over the length of the state before it, which a normalised state keeps."""
        return self.residual / self.norm.clamp_min(1e-12)

    def rows_of(self, level: str) -> list[int]:
        """Rows that update a level."""
        return [row for row, name in enumerate(self.levels) if name == level]


@torch.no_grad()
def record_course(model: HRM, batch: Batch, segments: int) -> Course:
    """Run a batch to the last segment, a few puzzles at a time; memory grows with the answers alone."""
    parts: list[tuple[Tensor, ...]] = []
    for start in range(0, len(batch), CHUNK):
        rows = slice(start, start + CHUNK)
        parts.append(_part(model, Batch(batch.inputs[rows], batch.labels[rows], batch.identifiers[rows]), segments))
    levels = tuple(update.target for update in model.schedule.updates)
    columns: list[Tensor] = [torch.cat(column).cpu() for column in zip(*parts, strict=True)]
    return Course(levels, *columns)


def _part(model: HRM, batch: Batch, segments: int) -> tuple[Tensor, ...]:
    states = beginning(model, batch)
    latest: States = dict(states)
    rows: list[tuple[Tensor, Tensor, Tensor]] = []

    def see(level: str, _clock: tuple[int, int], new: Tensor) -> None:
        old, latest[level] = latest[level], new
        rows.append(_moved(old, new))

    columns: list[list[Tensor]] = [[] for _ in range(6)]
    for number in range(segments):
        output = model(states, batch, see, number)
        before, after = states[output.answer], output.states[output.answer]
        found = (
            (_each(after - before) / _each(before).clamp_min(1e-12)),
            output.logits.argmax(-1),
            output.values,
            *_scored(output.logits, batch.labels),
        )
        for column, value in zip(columns, found, strict=True):
            column.append(value)
        states = output.states
    count = len(model.schedule.updates)
    moved = (_by_row(series, segments, count) for series in zip(*rows, strict=True))
    change, tokens, values, right, loss, entropy = (torch.stack(column, 1) for column in columns)
    return (*moved, change, tokens, values, right, loss, entropy)


def _by_row(series: tuple[Tensor, ...], segments: int, rows: int) -> Tensor:
    """T * R tensors of shape (B,) -> (B, T, R)."""
    return torch.stack(series, 1).reshape(-1, segments, rows)


def _moved(old: Tensor, new: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    a, b = old.float(), new.float()
    overlap = torch.nn.functional.cosine_similarity(a, b, dim=-1).flatten(1).mean(1)
    return b.flatten(1).norm(dim=1), (b - a).flatten(1).norm(dim=1), overlap


def _each(state: Tensor) -> Tensor:
    """Length at each position: (B, N, ...) -> (B, N)."""
    lengths: Tensor = state.float().flatten(2).norm(dim=2)
    return lengths


def _scored(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    scored = labels >= 0
    log_p = logits.float().log_softmax(-1)
    loss = -log_p.gather(-1, labels.clamp_min(0)[..., None]).squeeze(-1)
    entropy = -(log_p.exp() * log_p).nan_to_num().sum(-1)
    count = scored.sum(1).clamp_min(1)
    right = ((logits.argmax(-1) == labels) | ~scored).all(-1)
    return right, (loss * scored).sum(1) / count, (entropy * scored).sum(1) / count
