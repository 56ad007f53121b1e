"""A function's Jacobian at a point, by its products with vectors."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from hrmlab.analysis.probes.base import NotApplicable
from hrmlab.kernels.triton_here import fused

Step = Callable[[Tensor], Tensor]
"""(B, D) -> (B, D), each row by itself."""


class Linearised:
    """J of a step at a point; `push(v)` is J v and `pull(u)` is J^T u, row by row.

    J v is the derivative of u -> J^T u, so that only backward passes are needed: some of the project's own operators
    have no forward-mode formula. The graph is built once, and each product walks it. Attention runs unfused, since the
    fused ones cannot be differentiated twice; where fused kernels would take the state, it is passed as float64, which
    they do not take.

    Raises:
        NotApplicable: no gradient passes the step.
    """

    def __init__(self, step: Step, at: Tensor) -> None:
        self.dtype = at.dtype
        start = at.detach().to(torch.float64 if fused(at) else at.dtype).requires_grad_()
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            out = step(start)
            if not out.requires_grad:
                raise NotApplicable("no gradient passes an update: something in its network detaches the state")
            self.direction = torch.zeros_like(out, requires_grad=True)
            (pulled,) = torch.autograd.grad(out, start, self.direction, create_graph=True)
        self.start, self.out, self.pulled = start, out, pulled

    def push(self, v: Tensor) -> Tensor:
        """J v."""
        if not self.pulled.requires_grad:  # the step is constant
            return torch.zeros_like(v)
        (product,) = torch.autograd.grad(self.pulled, self.direction, v.to(self.pulled.dtype), retain_graph=True)
        return product.to(self.dtype)

    def pull(self, u: Tensor) -> Tensor:
        """J^T u."""
        (product,) = torch.autograd.grad(self.out, self.start, u.to(self.out.dtype), retain_graph=True)
        return product.to(self.dtype)
