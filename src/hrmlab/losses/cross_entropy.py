"""Cross-entropy after softmax, or after stablemax."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.kernels import stablemax_cross_entropy
from hrmlab.kernels.stablemax import plain
from hrmlab.losses.base import IGNORE, LOSSES, LossConfig


@LOSSES.register(source="-")
@dataclass(frozen=True, kw_only=True)
class SoftmaxCrossEntropy(LossConfig):
    """Cross-entropy of the softmax, in float32."""

    kind: Literal["softmax"] = "softmax"

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        losses = F.cross_entropy(logits.float().flatten(0, 1), labels.flatten().long(), reduction="none")
        return losses.view(labels.shape)


@LOSSES.register(source="Prieto et al. 2025, arXiv 2501.04697")
@dataclass(frozen=True, kw_only=True)
class StablemaxCrossEntropy(LossConfig):
    """Cross-entropy of the stablemax s(x) / sum s(x), with s(x) = x + 1 from 0 on and 1 / (1 - x) below.

    log s(x) = log1p(x) or -log1p(-x), which float32 gives to its last digits; the reference reaches for float64, which
    some devices lack. `float64` repeats that, losses included, where a comparison to the last bit is wanted.
    """

    kind: Literal["stablemax"] = "stablemax"
    float64: bool = False

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.float64:
            return plain(logits, labels, IGNORE, torch.float64)
        return stablemax_cross_entropy(logits, labels, IGNORE)
