"""What halting policies look at, made by hand."""

from typing import Any

import torch
from torch import Tensor

from hrmlab.halting import Glimpse, HaltingView

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
