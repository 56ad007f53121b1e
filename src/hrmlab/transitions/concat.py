"""State and sources side by side, projected to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.layers import Linear
from hrmlab.transitions.base import INJECTIONS, InjectionConfig, Joint


@INJECTIONS.register(source="hrm-lab; the input injection of Geiping et al. 2025, arXiv 2502.05171")
@dataclass(frozen=True, kw_only=True)
class Concat(InjectionConfig):
    """x = state + W [state; sources], begun with W = (0, 1, 1, ...): as the sum."""

    kind: Literal["concat"] = "concat"

    def build(self, joint: Joint) -> nn.Module:
        return ConcatInjection(joint.place.size.width, len(joint.sources))


class ConcatInjection(nn.Module):
    """A learned combination of state and sources, number by number and across numbers."""

    def __init__(self, width: int, sources: int) -> None:
        super().__init__()
        self.project = Linear((1 + sources) * width, width)
        with torch.no_grad():
            self.project.weight.copy_(torch.cat([torch.zeros(width, width), *[torch.eye(width)] * sources], dim=1))

    def forward(self, state: Tensor, sources: Sequence[Tensor], context: Context) -> Tensor:
        """(..., W), sources of the same shape -> (..., W)."""
        projected: Tensor = self.project(torch.cat([state, *sources], dim=-1))
        return state + projected
