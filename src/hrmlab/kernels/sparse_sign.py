"""SignSGD with decoupled weight decay on the touched rows of a sparse table, equal ids summed and applied in one pass.

The plain twin must first ask the device how many distinct ids there are, and wait. In the kernel each occurrence of an
id looks whether it is the first; the first sums the gradients of all, in their order, and updates the row. No shape
depends on the data, so nothing waits.
"""

import torch
from torch import Tensor

from hrmlab.kernels.operators import operator
from hrmlab.kernels.triton_here import Specimen, constexpr, fused, jit, launch, tl

CHUNK, COLS = 128, 128


def sign_sgd(rows: Tensor, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
    """For each distinct id: row <- row (1 - lr wd) - lr sign(sum of its gradients). Other rows are not touched.

    Args:
        rows: the table, (identifiers, width), changed in place.
        ids: (B,), repeats allowed, each a row that exists.
        gradients: (B, width), of the looked-up rows.
    """
    if rows.is_contiguous() and fused(rows, gradients):
        op(rows, ids, gradients, lr, weight_decay)
    else:
        plain(rows, ids, gradients, lr, weight_decay)


@torch.no_grad()
def plain(rows: Tensor, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
    """The same in torch."""
    distinct, where = torch.unique(ids, return_inverse=True)
    summed = gradients.new_zeros(len(distinct), gradients.shape[-1]).index_add_(0, where, gradients)
    rows[distinct] = rows[distinct] * (1 - lr * weight_decay) - lr * summed.sign()


@jit
def kernel(rows, ids, gradients, keep, lr, table, count, width, CHUNK: constexpr, COLS: constexpr):
    mine = tl.program_id(0)
    me = tl.load(ids + mine)
    col = tl.program_id(1) * COLS + tl.arange(0, COLS)
    here = col < width
    first = mine
    for start in range(0, mine, CHUNK):
        other = start + tl.arange(0, CHUNK)
        same = tl.load(ids + other, mask=other < mine, other=-1) == me
        first = tl.minimum(first, tl.min(tl.where(same & (other < mine), other, mine), axis=0))
    if first == mine and me >= 0 and me < table:  # an id beyond the table was refused when its row was looked up
        total = tl.zeros((COLS,), dtype=tl.float32)
        for other in range(mine, count):
            if tl.load(ids + other) == me:
                total += tl.load(gradients + other * width + col, mask=here, other=0.0).to(tl.float32)
        at = rows + me.to(tl.int64) * width + col
        sign = tl.where(total > 0, 1.0, 0.0) - tl.where(total < 0, 1.0, 0.0)
        old = tl.load(at, mask=here, other=0.0).to(tl.float32)
        tl.store(at, (old * keep - lr * sign).to(rows.dtype.element_ty), mask=here)


def _update(rows: Tensor, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
    if not fused(rows, gradients):
        return plain(rows, ids, gradients, lr, weight_decay)
    count, width = gradients.shape
    grid = (count, -(-width // COLS))
    numbers = (1 - lr * weight_decay, lr, len(rows), count, width)
    launch(kernel, grid, rows, rows, ids.contiguous(), gradients.contiguous(), *numbers, CHUNK=CHUNK, COLS=COLS)
    return None


op = operator(
    "sign_sgd(Tensor(a!) rows, Tensor ids, Tensor gradients, float lr, float weight_decay) -> ()",
    _update,
    lambda rows, ids, gradients, lr, weight_decay: None,
)


def specimens(width: int, dtype: str) -> list[Specimen]:
    """The kernel; its size does not depend on the width."""
    tensors = {"rows": "*fp32", "ids": "*i64", "gradients": "*fp32"}
    numbers = {"keep": "fp32", "lr": "fp32", "table": "i32", "count": "i32", "width": "i32"}
    constants = {"CHUNK": CHUNK, "COLS": COLS, "num_warps": 4}
    return [Specimen("sign_sgd", kernel, tensors | numbers, constants)]
