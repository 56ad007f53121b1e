"""Models whose recurrence is a number: z <- gain (z + input), so that every gradient is known by hand."""

import torch
from torch import Tensor, nn

from hrmlab.blocks import PostNorm, Size
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.recurrence import Network
from hrmlab.core.schedules import SingleState
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.spec import TaskSpec


class Gain(nn.Module):
    def __init__(self, gain: float) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(gain))

    def forward(self, x: Tensor, _context: object) -> Tensor:
        return self.gain * x


def linear_model(spec: TaskSpec, gain: float, cycles: int, grad_window: int | None = None) -> HRM:
    """One state that begins at zero, `cycles` updates a segment."""
    torch.manual_seed(0)
    schedule = SingleState(cycles=cycles, grad_window=grad_window)
    size = Size(width=16, layers=1, heads=2, round_to=8)
    model = HRM(
        ModelConfig(schedule=schedule, block=PostNorm(), embedding=Tokens(), positions=Rotary(), size=size), spec
    )
    model.networks["state"] = Network([Gain(gain)])
    model.initial.zero_()
    return model.eval()
