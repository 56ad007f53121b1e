"""The gradient of a fixed point, by a truncated Neumann series.

Where the last updates f of a segment have arrived, z = f(z), the gradient of z by the weights is (I - J)^-1 df, J being
the Jacobian of f at z (implicit function theorem; Bai et al. 2019, arXiv 1909.01377). HRM's one-step gradient is that
with I in place of the inverse (arXiv 2506.21734, section 2); here the series I + J + J^2 + ... goes on for some
terms. Each costs a backward pass through f by the states alone, and no memory: the graph of f is there already.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

States = dict[str, Tensor]


def at_fixed_point(f: Callable[[States], States], states: States, terms: int) -> States:
    """f(states), whose backward pass sums `terms` more terms of the Neumann series.

    States that f does not change are held fixed. Back-propagation ends at `states`. Differentiable once.
    """
    start = {name: state.detach().requires_grad_() for name, state in states.items()}
    after = f(start)
    moved = [name for name in after if after[name] is not start[name]]
    made = _Series.apply([start[name] for name in moved], terms, *(after[name] for name in moved))  # type: ignore[no-untyped-call]
    return {name: state.detach() for name, state in states.items()} | dict(zip(moved, made, strict=True))


class _Series(torch.autograd.Function):
    """The identity on f's outputs; its backward pass solves u = g + J^T u by iteration."""

    @staticmethod
    def forward(ctx: Any, start: list[Tensor], terms: int, *after: Tensor) -> tuple[Tensor, ...]:
        ctx.start, ctx.terms = start, terms
        ctx.save_for_backward(*after)
        return tuple(state.view_as(state) for state in after)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        after, total = ctx.saved_tensors, gradients
        for _ in range(ctx.terms):
            with torch.enable_grad():
                through = torch.autograd.grad(
                    after, ctx.start, total, retain_graph=True, allow_unused=True, materialize_grads=True
                )
            total = tuple(g + t for g, t in zip(gradients, through, strict=True))
        return None, None, *total
