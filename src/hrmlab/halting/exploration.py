"""Exploration for learned policies: some sequences must go on for a while whatever the head says."""

import torch
from torch import Tensor


def draw_first_allowed(slots: int, probability: float, longest: int, generator: torch.Generator | None) -> Tensor:
    """With `probability` a uniform draw from 2..longest, else 1; once for each sequence (HRM paper, section 2, M_min).

    Args:
        generator: None for no exploration.

    Returns:
        (slots,) int32.
    """
    if generator is None:
        return torch.ones(slots, dtype=torch.int32)
    explores = torch.rand(slots, generator=generator) < probability
    drawn = torch.randint(2, max(longest, 2) + 1, (slots,), generator=generator)
    return torch.where(explores, drawn, 1).clamp_max(longest).int()
