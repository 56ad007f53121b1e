"""A vector for a puzzle that was not trained on, fitted to its demonstrations while the network stays as it is.

What HRM and TRM learn for each puzzle beside their weights (arXiv 2506.21734, section 3.2) is here learnt alone, so
that nothing else is forgotten and a few examples are enough.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi
from typing import Literal

import torch
from torch import Tensor

from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.embeddings.shown import ShownTable
from hrmlab.errors import ConfigError
from hrmlab.losses import LossConfig
from hrmlab.losses.base import IGNORE
from hrmlab.tasks.base import Examples

BLANK = 0
"""The identifier of puzzles that have none."""
Start = Literal["mean", "blank"]


@dataclass(frozen=True)
class Fitted:
    """vector: (P,), or what stands for it in the table.

    losses: mean token loss of all segments of a pass, the first and the last. passes: how many.
    """

    vector: Tensor
    losses: tuple[float, float]
    passes: int


def begin_at(model: HRM, start: Start) -> Tensor:
    """Where a fit begins: the mean of the trained rows, or the blank one, (P,).

    Raises:
        ConfigError: the model has no puzzle vectors, or "mean" of none.
    """
    if model.puzzles is None:
        raise ConfigError("this model has no puzzle vectors to adapt (model.puzzle is none); wanted one that has")
    rows = model.puzzles.rows
    if start == "blank" or len(rows) == 1 or not model.puzzles.learned:
        return rows[BLANK].clone()
    return rows[BLANK + 1 :].mean(0)


def tell(model: HRM, demonstrations: Examples, loss: LossConfig, segments: int) -> Fitted:
    """What a model that reads demonstrations keeps of these: nothing is fitted. Losses are without and with them."""
    table = model.puzzles
    assert isinstance(table, ShownTable), "other tables learn their rows"
    row = table.told(demonstrations.inputs, demonstrations.labels)
    arrays = (demonstrations.inputs, demonstrations.labels, demonstrations.identifiers)
    batch = Batch(*(torch.from_numpy(part.astype("int64")).to(row.device) for part in arrays))
    with torch.no_grad():
        before, after = (_pass(model, batch, one, None, loss, segments) for one in (torch.zeros_like(row), row))
    return Fitted(row, (before, after), 0)


def fit(
    model: HRM,
    demonstrations: Batch,
    vector: Tensor,
    loss: LossConfig,
    *,
    segments: int,
    lr: float,
    passes: int | None,
    seconds: float | None,
    progress: Callable[[float, float], None] | None = None,
) -> Fitted:
    """Adam on the vector alone, its rate falling to nothing; every segment of a pass is supervised, as in training.

    Args:
        demonstrations: all of them, taken together at each step.
        vector: where it begins, (P,).
        segments: of a pass, each from the states that the one before left.
        passes, seconds: the budget, whichever ends first; at least one pass is made.
        progress: told the share of the budget and the mean loss of the last pass.
    """
    vector = vector.detach().clone().float().requires_grad_()
    optimiser = torch.optim.Adam([vector], lr=lr)
    frozen = [(parameter, parameter.requires_grad) for parameter in model.parameters()]
    first, last, spent, done, start = 0.0, 0.0, 0.0, 0, time.perf_counter()
    try:
        for parameter, _ in frozen:
            parameter.requires_grad_(False)
        while True:
            optimiser.param_groups[0]["lr"] = lr * (1 + cos(pi * spent)) / 2
            last = _pass(model, demonstrations, vector, optimiser, loss, segments)
            first = first if done else last
            done += 1
            shares = [done / passes] if passes is not None else []
            shares += [(time.perf_counter() - start) / seconds] if seconds is not None else []
            spent = min(max(shares), 1.0)
            if progress is not None:
                progress(spent, last)
            if spent >= 1.0:
                return Fitted(vector.detach(), (first, last), done)
    finally:
        for parameter, asks in frozen:
            parameter.requires_grad_(asks)


def _pass(
    model: HRM,
    batch: Batch,
    vector: Tensor,
    optimiser: torch.optim.Optimizer | None,
    loss: LossConfig,
    segments: int,
) -> float:
    states, total = model.empty_carry(batch).states, 0.0
    scored = (batch.labels != IGNORE).sum(-1, keepdim=True).clamp_min(1)
    for _ in range(segments):
        output = model.think(states, batch.inputs, vector.expand(len(batch), *vector.shape))
        mean = (loss(output.logits, batch.labels) / scored).sum() / len(batch)
        if optimiser is not None:
            optimiser.zero_grad()
            mean.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        states = {level: state.detach() for level, state in output.states.items()}
        total += float(mean.detach()) / segments
    return total
