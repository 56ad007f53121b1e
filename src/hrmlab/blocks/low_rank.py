"""Low-rank adapters on every linear map of another block."""

from dataclasses import dataclass, field
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.blocks.base import BLOCKS, BlockConfig, Place
from hrmlab.blocks.post_norm import PostNorm
from hrmlab.errors import ConfigError
from hrmlab.layers import Linear, truncated_normal_


@BLOCKS.register(source="Hu et al. 2021, arXiv 2106.09685")
@dataclass(frozen=True, kw_only=True)
class LowRank(BlockConfig):
    """Any block, each of whose linear maps W becomes W + BA with few rows in A; B starts at zero, so nothing changes.

    The block's own weights keep their names, beside which the adapters' are new: `...qkv.weight`, `...qkv.reduce` (A)
    and `...qkv.expand` (B).

    block: the adapted one, with its own fields (`block=low_rank block.block=pre_norm`).
    rank: rows of A.
    frozen: the block's own weights do not learn; what is outside the blocks does.
    """

    kind: Literal["low_rank"] = "low_rank"
    block: BlockConfig = field(default_factory=PostNorm)
    rank: int = 4
    frozen: bool = True

    def build(self, place: Place) -> nn.Module:
        if self.rank < 1:
            raise ConfigError(f"block 'low_rank' came with rank={self.rank}; wanted 1 or more")
        block = self.block.build(place).requires_grad_(not self.frozen)
        maps = [(name, module) for name, module in block.named_modules() if type(module) is Linear]
        if not maps:
            raise ConfigError(f"block '{self.block.kind}' has no linear map that 'low_rank' could adapt")
        for name, module in maps:
            block.set_submodule(name, AdaptedLinear(module, self.rank))
        return block

    def finish(self, place: Place) -> nn.Module | None:
        return self.block.finish(place)


class AdaptedLinear(Linear):
    """x W^T + x A^T B^T, with the weight and bias of another linear map."""

    def __init__(self, whole: Linear, rank: int) -> None:
        nn.Module.__init__(self)
        outputs, inputs = whole.weight.shape
        self.weight, self.bias = whole.weight, whole.bias
        self.reduce = nn.Parameter(truncated_normal_(torch.empty(rank, inputs), inputs**-0.5))
        self.expand = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        added = F.linear(F.linear(x, self.reduce.to(x.dtype)), self.expand.to(x.dtype))
        whole: Tensor = super().forward(x) + added
        return whole

    def matrix(self) -> Tensor:
        return self.weight + self.expand @ self.reduce
