"""The neighbourhood on the board by FlexAttention, which leaves out whole blocks of positions that nobody sees."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from hrmlab.attention.backends import FLEX_BLOCK, FLEX_WIDTH
from hrmlab.attention.base import ATTENTION, AttentionConfig, Context
from hrmlab.attention.masked import MaskedAttention
from hrmlab.attention.place import Place
from hrmlab.attention.windowed import window
from hrmlab.kernels.triton_here import fused


@ATTENTION.register(source="Dong et al. 2024, arXiv 2412.05496; torch's flex_attention")
@dataclass(frozen=True, kw_only=True)
class Flex(AttentionConfig):
    """What `windowed` computes, on a GPU by FlexAttention where the board is larger than one of its blocks.

    Elsewhere, and where the context has a mask of its own, it is the masked product; `attention.backends.explain` says
    why.

    reach: as for `windowed`.
    """

    kind: Literal["flex"] = "flex"
    reach: int = 2

    def build(self, place: Place) -> nn.Module:
        return FlexAttention(place, self.reach)


class FlexAttention(MaskedAttention):
    """Same weights and same numbers as `windowed`; which blocks are looked at is worked out once, from the board."""

    partly_count: Tensor
    partly: Tensor
    wholly_count: Tensor
    wholly: Tensor

    def __init__(self, place: Place, reach: int) -> None:
        where = window(place, reach)
        super().__init__(place.size, where)
        self.rule = _rule(place, reach)
        self.blocks = -(-place.positions // FLEX_BLOCK)
        self.fits = self.blocks > 1 and place.size.head_width >= FLEX_WIDTH
        seen = np.zeros((self.blocks * FLEX_BLOCK,) * 2, dtype=np.bool_)
        seen[: len(where), : len(where)] = where
        tiles = seen.reshape(self.blocks, FLEX_BLOCK, self.blocks, FLEX_BLOCK)
        some, all_ = tiles.any(axis=(1, 3)), tiles.all(axis=(1, 3))
        for name, blocks in (("partly", some & ~all_), ("wholly", all_)):
            self.register_buffer(f"{name}_count", _int(blocks.sum(axis=1)), persistent=False)
            self.register_buffer(name, _int(np.argsort(~blocks, axis=1, kind="stable")), persistent=False)

    def mixed(self, x: Tensor, context: Context) -> Tensor:
        """(B, N, W) -> (B, N, W)."""
        if not self.fits or context.mask is not None or not (x.is_cuda and fused(x)):
            return super().mixed(x, context)
        from torch.nn.attention.flex_attention import flex_attention

        parts = self.prepared(*self.projected(x), context)
        if torch.compiler.is_compiling():
            return self.by_blocks(flex_attention, *parts)
        return self.by_blocks(self.compiled, *parts)

    @cached_property
    def compiled(self) -> Callable[..., Any]:
        """torch's flex_attention as a kernel of its own: uncompiled it would compute every score."""
        from torch.nn.attention.flex_attention import flex_attention

        return torch.compile(flex_attention)

    def by_blocks(self, kernel: Callable[..., Any], q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """What `prepared` gave -> (B, N, W), by torch's flex_attention, compiled or not."""
        from torch.nn.attention.flex_attention import BlockMask

        seen = BlockMask.from_kv_blocks(
            self.partly_count[None, None],
            self.partly[None, None],
            self.wholly_count[None, None],
            self.wholly[None, None],
            BLOCK_SIZE=FLEX_BLOCK,
            mask_mod=self.rule,
            seq_lengths=(q.shape[2], k.shape[2]),
        )
        mixed: Tensor = kernel(q, k, v, block_mask=seen)
        return mixed.transpose(1, 2).flatten(2)


def _rule(place: Place, reach: int) -> Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]:
    """`window` for single pairs of positions, as FlexAttention asks for it."""
    slots, shape = place.slots, place.spec.shape
    columns = shape[1] if len(shape) == 2 else place.spec.seq_len

    def sees(batch: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        here, there = query - slots, key - slots
        rows = (here // columns - there // columns).abs() <= reach
        return (here < 0) | (there < 0) | rows & ((here % columns - there % columns).abs() <= reach)

    return sees


def _int(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.int32))
