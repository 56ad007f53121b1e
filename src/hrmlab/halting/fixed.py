"""No adaptation: everyone takes the same number of segments."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView


@HALTING.register(source="the evaluation of arXiv 2506.21734's code")
@dataclass(frozen=True, kw_only=True)
class Fixed(HaltingConfig):
    """Every sequence runs for `max_segments`; the head learns nothing.

    Needs: nothing. Starts: nothing to set.
    Fails: spends as much on a puzzle that was solved at once as on one that never is; a model that drifts off its right
    answers loses them at the limit.
    """

    kind: Literal["fixed"] = "fixed"

    def readiness(self, view: HaltingView) -> Tensor:
        return torch.zeros_like(view.steps, dtype=torch.float32)
