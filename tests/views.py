"""What halting policies look at, made by hand."""

from typing import Any

import torch
from torch import Tensor

from hrmlab.halting import Glimpse, HaltingConfig, HaltingView, Memory, Outcome

CELLS, SYMBOLS, WIDTH = 5, 4, 6


def view_of(steps: Tensor, values: Tensor, seed: int = 0, ahead: Tensor | None = None, **fields: Any) -> HaltingView:
    """A view whose logits and states are random and whose every field can be given. ahead: (B, 2) values."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(len(steps), *shape, generator=generator)

    parts = {
        "logits": random(CELLS, SYMBOLS) * 3,
        "state": random(CELLS, WIDTH),
        "before": random(CELLS, WIDTH),
        "inputs": torch.randint(0, SYMBOLS, (len(steps), CELLS), generator=generator),
        "ahead": None if ahead is None else Glimpse(ahead),
    }
    return HaltingView(steps=steps, values=values, **parts | fields)


def sequence_of(policy: HaltingConfig, values: Tensor, **fields: Tensor) -> list[HaltingView]:
    """One slot's views over its segments, with what the policy remembers between them.

    Args:
        values: (T, 2). fields: more of the view's, (T, ...).
    """
    views: list[HaltingView] = []
    memory: Memory = {}
    for at, value in enumerate(values):
        now = {name: field[at][None] for name, field in fields.items()}
        earlier = values[at - 1][None] if at else torch.zeros(1, 2)
        step = torch.tensor([at + 1], dtype=torch.int32)
        views.append(view_of(step, value[None], at, memory=memory, earlier=earlier, **now))
        memory = policy.remember(views[-1])
    return views


def taught(policy: HaltingConfig, views: list[HaltingView], losses: Tensor) -> dict[str, Tensor]:
    """The policy's losses by name, summed over a sequence whose answers cost `losses`, (T,)."""
    total: dict[str, Tensor] = {}
    for view, loss in zip(views, losses, strict=True):
        for name, term in policy.losses(view, Outcome(torch.tensor([False]), loss[None])).items():
            total[name] = total.get(name, torch.zeros(())) + term
    return total
