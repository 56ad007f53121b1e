"""Softmax attention whose heads look where the board lets them, whatever else the context forbids."""

import numpy as np
import torch
from torch import Tensor

from hrmlab.attention.base import Context
from hrmlab.attention.place import Place, Size
from hrmlab.attention.sdpa import SelfAttention
from hrmlab.spec import Bools


class MaskedAttention(SelfAttention):
    """`SelfAttention` under a mask that is not saved, since it follows from the board.

    Args:
        where: True where a query (rows) may see a key (columns), (N, N), or (H, N, N) for each head.
    """

    where: Tensor

    def __init__(self, size: Size, where: Bools) -> None:
        super().__init__(size)
        self.register_buffer("where", torch.from_numpy(where), persistent=False)

    def scope(self, context: Context, dtype: torch.dtype) -> Tensor:
        return self.where if context.mask is None else self.where & context.mask


def beside_slots(cells: Bools, place: Place) -> Bools:
    """A mask between cells, (..., cells, cells) -> (..., N, N): puzzle slots see all and are seen by all."""
    around = [(0, 0)] * (cells.ndim - 2) + [(place.slots, 0)] * 2
    return np.pad(cells, around, constant_values=True)
