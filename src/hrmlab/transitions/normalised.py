"""The old state and the network's output, added and normalised."""

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from hrmlab.attention.place import Place
from hrmlab.kernels import add_rms_norm
from hrmlab.transitions.base import RETENTIONS, RetentionConfig


@RETENTIONS.register(source="hrm-lab; the post-norm of arXiv 2506.21734, around a network")
@dataclass(frozen=True, kw_only=True)
class Normalised(RetentionConfig):
    """state <- norm(state + network(x)): a residual around the whole network whose size cannot grow."""

    kind: Literal["normalised"] = "normalised"
    eps: float = 1e-5

    def build(self, place: Place) -> nn.Module:
        return NormalisedRetention(self.eps)


class NormalisedRetention(nn.Module):
    """RMS norm of the sum, without learned gains."""

    def __init__(self, eps: float) -> None:
        super().__init__()
        self.eps = eps

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Both (..., W) -> (..., W)."""
        mixed: Tensor = add_rms_norm(before, after, self.eps)
        return mixed
