"""Adam-atan2, in the form that HRM was trained with."""

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.training.parts import own

TOGETHER = 2**20
"""Numbers updated at once: the squares and roots of all of them are held meanwhile, and for a large model that would be
the most memory that a training step takes."""


class AdamAtan2(torch.optim.Optimizer):
    """p <- p (1 - lr wd);  m <- lerp(m, g, 1 - b1);  v <- lerp(v, g^2, 1 - b2);
    p <- p - lr / (1 - b1^t) atan2(m, sqrt(v) / sqrt(1 - b2^t)).

    Everett et al. 2024, arXiv 2407.05872. As in HRM's CUDA implementation, the correction of the first moment scales
    the step instead of standing inside atan2; other packages of this name put it inside and differ by several per cent.
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-4,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 0.1,
    ) -> None:
        if lr < 0 or weight_decay < 0 or not all(0 <= beta < 1 for beta in betas):
            raise ConfigError(f"adam_atan2 wants lr >= 0, weight_decay >= 0, betas in [0, 1); got {lr=} {betas=}")
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for params in _together([p for p in group["params"] if p.grad is not None]):
                self._update(group, params, [p.grad for p in params if p.grad is not None])

    def _update(self, group: dict[str, Any], params: list[Tensor], grads: list[Tensor]) -> None:
        lr, wd, (beta1, beta2) = group["lr"], group["weight_decay"], group["betas"]
        states = [self.state[p] for p in params]
        for state, p in zip(states, params, strict=True):
            if not state:
                state.update(step=torch.zeros(()), first=torch.zeros_like(p), second=torch.zeros_like(p))
            state["step"] += 1
        first, second = [own(s["first"]) for s in states], [own(s["second"]) for s in states]
        params, grads = [own(p) for p in params], [own(g) for g in grads]
        torch._foreach_mul_(params, 1 - lr * wd)
        torch._foreach_lerp_(first, grads, 1 - beta1)
        torch._foreach_lerp_(second, torch._foreach_mul(grads, grads), 1 - beta2)
        steps = [int(s["step"]) for s in states]
        roots = torch._foreach_sqrt(second)
        torch._foreach_div_(roots, [(1 - beta2**t) ** 0.5 for t in steps])
        for p, m, root, t in zip(params, first, roots, steps, strict=True):
            p.add_(torch.atan2(m, root), alpha=-lr / (1 - beta1**t))  # one rounding, as the reference's


def _together(params: list[Tensor]) -> Iterator[list[Tensor]]:
    """The parameters in their order, in parts of about `TOGETHER` numbers."""
    part: list[Tensor] = []
    for p in params:
        part.append(p)
        if sum(q.numel() for q in part) >= TOGETHER:
            yield part
            part = []
    if part:
        yield part
