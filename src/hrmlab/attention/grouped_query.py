"""Attention whose heads of queries share heads of keys and values."""

from dataclasses import dataclass
from typing import Literal

from torch import nn

from hrmlab.attention.base import ATTENTION, AttentionConfig
from hrmlab.attention.place import Place
from hrmlab.attention.sdpa import SelfAttention
from hrmlab.errors import ConfigError


@ATTENTION.register(source="Ainslie et al. 2023, arXiv 2305.13245; one for all: Shazeer 2019, arXiv 1911.02150")
@dataclass(frozen=True, kw_only=True)
class GroupedQuery(AttentionConfig):
    """Softmax attention with fewer heads of keys and values than of queries: a smaller product, fewer weights.

    shared_by: heads of queries for each head of keys and values; 1 is `sdpa`.
    """

    kind: Literal["grouped_query"] = "grouped_query"
    shared_by: int = 2

    def build(self, place: Place) -> nn.Module:
        heads = place.size.heads
        if self.shared_by < 1 or heads % self.shared_by:
            raise ConfigError(
                f"{heads} heads cannot share keys {self.shared_by} by {self.shared_by}; choose a divisor of heads"
            )
        return SelfAttention(place.size, heads // self.shared_by)
