"""A random depth in training, any depth at test."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView


@HALTING.register(source="Bansal et al. 2022, arXiv 2202.05826; Geiping et al. 2025, arXiv 2502.05171")
@dataclass(frozen=True, kw_only=True)
class SampledDepth(HaltingConfig):
    """Each training sequence runs for a number of segments drawn uniformly from 1 to `max_segments`; the head learns
    nothing.

    In inference everyone runs for `max_segments`. What it buys is a model that holds its answer at depths beyond those
    it was trained on.

    Needs: nothing beside the training. Starts: nothing to set.
    Fails: segments are spent on puzzles that were solved already, in training and in inference; late segments are seen
    less often than early ones.
    """

    kind: Literal["sampled_depth"] = "sampled_depth"

    def readiness(self, view: HaltingView) -> Tensor:
        return torch.ones_like(view.steps, dtype=torch.float32)

    @property
    def cutoff(self) -> float:
        return 0.0  # always ready: the drawn depth decides

    def first_allowed(self, slots: int, generator: torch.Generator | None) -> Tensor:
        if generator is None:
            return torch.full((slots,), self.max_segments, dtype=torch.int32)
        return torch.randint(1, self.max_segments + 1, (slots,), generator=generator, dtype=torch.int32)
