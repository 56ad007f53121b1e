"""Attention by a product of features in the place of softmax: cost grows with the positions, not with their square."""

from dataclasses import dataclass
from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention.base import ATTENTION, AttentionConfig
from hrmlab.attention.place import Place
from hrmlab.attention.sdpa import SelfAttention

SMALL = 1e-6
"""Added to the sum of a query's weights: a query that may see nothing reads zero."""


@ATTENTION.register(source="Katharopoulos et al. 2020, arXiv 2006.16236")
@dataclass(frozen=True, kw_only=True)
class LinearAttention(AttentionConfig):
    """Weights f(q) . f(k) with f = elu + 1: keys and values are summed once, and every query reads the sum.

    Rotary angles turn queries and keys before f, so that weights know positions but not differences alone. A mask that
    hides keys from everyone keeps it linear; any other is applied to the matrix of weights, at its cost.
    """

    kind: Literal["linear"] = "linear"

    def build(self, place: Place) -> nn.Module:
        return KernelAttention(place.size)


class KernelAttention(SelfAttention):
    """sum of f(q) . f(k) v over the keys / sum of f(q) . f(k)."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, scope: Tensor | None) -> Tensor:
        q, k = F.elu(q) + 1, F.elu(k) + 1
        if scope is None or scope.shape[-2] == 1:
            k = k if scope is None else k * scope.mT
            read, whole = q @ (k.mT @ v), q @ k.sum(dim=-2, keepdim=True).mT
        else:
            weights = (q @ k.mT) * scope
            read, whole = weights @ v, weights.sum(dim=-1, keepdim=True)
        return (read / (whole + SMALL)).transpose(1, 2).flatten(2)
