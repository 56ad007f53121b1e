"""Exponential moving average of the weights."""

import copy

import torch
from torch import nn


class EMA:
    """A second model whose weights follow the first's.

    Floating-point buffers are averaged too: the sparse puzzle table is one. Others (counters, ids) are copied.

    Args:
        buffers: False copies all buffers, as the reference does.
    """

    def __init__(self, model: nn.Module, decay: float, *, buffers: bool = True) -> None:
        self.decay, self.buffers = decay, buffers
        self.model = copy.deepcopy(model).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """average <- decay * average + (1 - decay) * weights, in place."""
        mine, theirs = self.model.state_dict(), model.state_dict()
        averaged = mine if self.buffers else dict(self.model.named_parameters())
        floats = [name for name, tensor in averaged.items() if tensor.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n] for n in floats], 1 - self.decay)
        for name in mine.keys() - floats:
            mine[name].copy_(theirs[name])
