"""Exponential moving average of the weights."""

import copy

import torch
from torch import nn

from hrmlab.training.parts import own


class EMA:
    """A second model whose weights follow the first's.

    Floating-point buffers are averaged too: the sparse puzzle table is one. Others (counters, ids) are copied.

    Args:
        buffers: False leaves buffers as the model has them (the reference copies them at every step): they are the
            same tensors, so that a large table costs neither memory nor time.
    """

    def __init__(self, model: nn.Module, decay: float, *, buffers: bool = True) -> None:
        self.decay = decay
        shared = {} if buffers else {id(buffer): buffer for buffer in model.buffers()}
        self.model = copy.deepcopy(model, shared).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """average <- decay * average + (1 - decay) * weights, in place."""
        mine, theirs = ({name: own(t) for name, t in of.state_dict().items()} for of in (self.model, model))
        apart = [name for name, tensor in mine.items() if tensor.data_ptr() != theirs[name].data_ptr()]
        floats = [name for name in apart if mine[name].is_floating_point()]
        if floats:
            torch._foreach_lerp_([mine[n] for n in floats], [theirs[n] for n in floats], 1 - self.decay)
        for name in set(apart) - set(floats):
            mine[name].copy_(theirs[name])
