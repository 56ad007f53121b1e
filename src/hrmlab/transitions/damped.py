"""A step part of the way to what the network says."""

from dataclasses import dataclass
from math import log
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.attention.place import Place
from hrmlab.errors import ConfigError
from hrmlab.transitions.base import RETENTIONS, RetentionConfig


@RETENTIONS.register(source="EqR, arXiv 2605.21488; FPRM, arXiv 2606.18206")
@dataclass(frozen=True, kw_only=True)
class Damped(RetentionConfig):
    """state <- state + share * (network(x) - state): what oscillates comes to rest.

    share: of the way, more than 0 and less than 1; for every number of the state alike.
    learned: each number of the state learns its own share, from that one on.
    noise: deviation of normal noise that is added to the new state in training (EqR: share 0.05, noise 0.01).
    """

    kind: Literal["damped"] = "damped"
    share: float = 0.5
    learned: bool = False
    noise: float = 0.0

    def build(self, place: Place) -> nn.Module:
        if not 0.0 < self.share < 1.0:
            raise ConfigError(f"retention damped: share={self.share} came; wanted more than 0 and less than 1")
        if self.noise < 0.0:
            raise ConfigError(f"retention damped: noise={self.noise} came; wanted 0 or more")
        return DampedRetention(place.size.width, self)


class DampedRetention(nn.Module):
    """Moves by a share of the way, held between 0 and 1 by a sigmoid."""

    share: Tensor

    def __init__(self, width: int, config: Damped) -> None:
        super().__init__()
        self.noise = config.noise
        start = torch.full((width,), log(config.share / (1 - config.share)))
        if config.learned:
            self.share = nn.Parameter(start)
        else:
            self.register_buffer("share", start, persistent=False)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Both (..., W) -> (..., W)."""
        moved = torch.lerp(before.float(), after.float(), self.share.float().sigmoid())
        if self.noise and self.training:
            moved = moved + self.noise * torch.randn_like(moved)
        return moved.to(after.dtype)
