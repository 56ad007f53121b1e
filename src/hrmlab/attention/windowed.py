"""Attention to the neighbourhood on the board."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from torch import nn

from hrmlab.attention.base import ATTENTION, AttentionConfig
from hrmlab.attention.masked import MaskedAttention, beside_slots
from hrmlab.attention.place import Place
from hrmlab.errors import ConfigError
from hrmlab.spec import Bools


@ATTENTION.register(
    source="Ramachandran et al. 2019, arXiv 1906.05909; sequences: Beltagy et al. 2020, arXiv 2004.05150"
)
@dataclass(frozen=True, kw_only=True)
class Windowed(AttentionConfig):
    """Softmax attention of each cell to those around it; puzzle slots see all and are seen by all.

    Computed as a masked product of all positions, so that it costs what `sdpa` does; `flex` skips what it can.

    reach: how many rows up and down and columns left and right; along the sequence where the task has no rows.
    """

    kind: Literal["windowed"] = "windowed"
    reach: int = 1

    def build(self, place: Place) -> nn.Module:
        return MaskedAttention(place.size, window(place, self.reach))


def window(place: Place, reach: int) -> Bools:
    """Which positions each one sees, (N, N). Raises ConfigError for a reach below one."""
    if reach < 1:
        raise ConfigError(f"attention came with reach={reach}; wanted 1 or more")
    cells = place.spec.coordinates
    away = np.abs(cells[:, None] - cells).max(axis=-1)
    return beside_slots(away <= reach, place)
