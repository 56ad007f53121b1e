"""Means over a cell's neighbours, gathered in both directions: a matrix of cells x cells would be nearly all zeros.

A board of 30x30 has 900 cells with four neighbours each; as a dense product their mean costs more than the whole
feed-forward layer.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from hrmlab.spec import Relation

Table = npt.NDArray[np.int64]


class NeighbourMean(nn.Module):
    """The sum, over relations that share their weights, of the mean over each cell's neighbours.

    Those beyond the border count as zeros, so that a border can be felt.
    """

    there: Tensor
    back: Tensor

    def __init__(self, relations: list[Relation]) -> None:
        super().__init__()
        there, shares = [], []
        for relation in relations:
            assert relation.neighbours is not None
            cells, directions = relation.neighbours.shape
            there += list(np.where(relation.neighbours < 0, cells, relation.neighbours).T)
            shares += [1 / directions] * directions
        self.shares = shares
        self.register_buffer("there", torch.from_numpy(np.stack(there)).long(), persistent=False)
        back, self.back_shares = _turned(np.stack(there), shares)
        self.register_buffer("back", torch.from_numpy(back).long(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, ...) -> the same shape."""
        mean: Tensor = _Gather.apply(x, self.there, self.shares, self.back, self.back_shares)  # type: ignore[no-untyped-call]
        return mean


class _Gather(torch.autograd.Function):
    """The gradient of a gather, gathered too: scattering it, as autograd would, is several times slower on a CPU."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        x: Tensor,
        there: Tensor,
        shares: list[float],
        back: Tensor,
        back_shares: list[float],
    ) -> Tensor:
        ctx.save_for_backward(there, back)
        ctx.shares, ctx.back_shares = shares, back_shares  # type: ignore[attr-defined]
        return _weighted(x, there, shares)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, grad: Tensor) -> tuple[Tensor, None, None, None, None]:
        there, back = ctx.saved_tensors  # type: ignore[attr-defined]
        shares, back_shares = ctx.shares, ctx.back_shares  # type: ignore[attr-defined]
        turned = _Gather.apply(grad, back, back_shares, there, shares)  # type: ignore[no-untyped-call]
        return turned, None, None, None, None


def _weighted(x: Tensor, table: Tensor, shares: list[float]) -> Tensor:
    """Sum of shares[d] * x[:, table[d]], where index N reads zero."""
    padded = torch.cat((x, torch.zeros_like(x[:, :1])), dim=1)
    total = padded.index_select(1, table[0]) * shares[0]
    for indices, share in zip(table[1:], shares[1:], strict=True):
        total = total + padded.index_select(1, indices) * share
    return total


def _turned(there: Table, shares: list[float]) -> tuple[Table, list[float]]:
    """The same links seen from their ends: for each cell those that read it, padded with N; a share's links in rows of
    their own."""
    cells = there.shape[1]
    rows: list[Table] = []
    row_shares: list[float] = []
    for share in dict.fromkeys(shares):
        readers: list[list[int]] = [[] for _ in range(cells)]
        for indices in there[[s == share for s in shares]]:
            for reader, cell in enumerate(indices.tolist()):
                if cell < cells:
                    readers[cell].append(reader)
        most = max(1, *map(len, readers))
        table = np.full((most, cells), cells, dtype=np.int64)
        for cell, found in enumerate(readers):
            table[: len(found), cell] = found
        rows += list(table)
        row_shares += [share] * most
    return np.stack(rows), row_shares
