"""Sources let in by learned gates."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention.base import Context
from hrmlab.layers import Linear
from hrmlab.transitions.base import INJECTIONS, InjectionConfig, Joint


@INJECTIONS.register(source="gates as in Cho et al. 2014, arXiv 1406.1078")
@dataclass(frozen=True, kw_only=True)
class Gate(InjectionConfig):
    """x = state + sum over sources of sigmoid(W_s state) * source; begins as half of the sum.

    Each number of each source is let in as far as the present state of its position says.
    """

    kind: Literal["gate"] = "gate"

    def build(self, joint: Joint) -> nn.Module:
        return GateInjection(joint.place.size.width, len(joint.sources))


class GateInjection(nn.Module):
    """A gate for each source, read from the state."""

    def __init__(self, width: int, sources: int) -> None:
        super().__init__()
        self.gates = nn.ModuleList([Linear(width, width, bias=True, std=0.0) for _ in range(sources)])

    def forward(self, state: Tensor, sources: Sequence[Tensor], context: Context) -> Tensor:
        """(..., W), sources of the same shape -> (..., W)."""
        let_in = (gate(state).sigmoid() * source for gate, source in zip(self.gates, sources, strict=True))
        return sum(let_in, start=state)
