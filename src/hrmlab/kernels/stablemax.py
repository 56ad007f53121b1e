"""Cross-entropy of the stablemax s(x) / sum s(x), with s(x) = x + 1 from 0 on and 1 / (1 - x) below.

Source: Prieto et al. 2025, arXiv 2501.04697. The kernels read the logits once forward and once backward and keep
nothing between but the logits themselves, where torch keeps four float32 copies.
"""

import torch
from torch import Tensor

from hrmlab.kernels.operators import operator
from hrmlab.kernels.triton_here import Specimen, Tile, constexpr, fused, jit, launch, tl


def stablemax_cross_entropy(logits: Tensor, labels: Tensor, ignore: int) -> Tensor:
    """Logits (..., V) and labels (...) -> losses (...) in float32, 0 where the label is `ignore`: fused on a GPU.

    A label that is neither `ignore` nor a token gives an infinite loss on a GPU and an IndexError or RuntimeError
    elsewhere.
    """
    if fused(logits):
        losses: Tensor = forward_op(logits, labels, ignore)
        return losses
    return plain(logits, labels, ignore)


def plain(logits: Tensor, labels: Tensor, ignore: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """The same in torch, in `dtype`. log s(x) = log1p(x) or -log1p(-x), which is exact to a type's last digits."""
    x = logits.to(dtype)
    log_s = torch.where(x < 0, -torch.log1p(-x.clamp_max(0)), torch.log1p(x.clamp_min(0)))
    log_p = log_s.log_softmax(dim=-1)
    valid = labels != ignore
    target = torch.where(valid, labels, 0).long()[..., None]
    return torch.where(valid, -log_p.gather(-1, target).squeeze(-1), 0)


def plain_backward(grad: Tensor, logits: Tensor, labels: Tensor, ignore: int) -> Tensor:
    """(p - onehot) / (1 + |x|): the slope of log s is 1 / (1 + |x|) on both sides."""
    x = logits.float()
    s = torch.where(x < 0, 1 / (1 - x.clamp_max(0)), x + 1)
    valid = labels != ignore
    target = torch.where(valid, labels, 0).long()[..., None]
    p = s / s.sum(-1, keepdim=True)
    below = p.scatter_add(-1, target, -torch.ones_like(p[..., :1])) / (1 + x.abs())
    return (torch.where(valid, grad.float(), 0)[..., None] * below).to(logits.dtype)


@jit
def log1p(u):
    """log(1 + u) for u >= 0 to the last digits of float32, which the GPU's own logarithm loses near 1."""
    series = u * (1 - u * (1 / 2 - u * (1 / 3 - u / 4)))
    return tl.where(u < 0.015625, series, tl.log(1 + u))


@jit
def forward_kernel(logits, labels, losses, ignore, rows, width, ROWS: constexpr, COLS: constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    col = tl.arange(0, COLS)
    here = (row < rows)[:, None] & (col < width)[None, :]
    at = row.to(tl.int64)[:, None] * width + col[None, :]
    x = tl.load(logits + at, mask=here, other=0.0).to(tl.float32)
    label = tl.load(labels + row, mask=row < rows, other=ignore)
    s = tl.where(here, tl.where(x < 0, 1 / (1 + tl.abs(x)), 1 + x), 0.0)
    mine = col[None, :] == label[:, None]
    chosen = tl.sum(tl.where(mine, s, 0.0), axis=1)
    others = tl.sum(tl.where(mine, 0.0, s), axis=1)  # apart, so that a loss near 0 keeps its digits
    loss = tl.where(label == ignore, 0.0, log1p(others / tl.where(label == ignore, 1.0, chosen)))
    tl.store(losses + row, loss, mask=row < rows)


@jit
def backward_kernel(grad, logits, labels, below, ignore, rows, width, ROWS: constexpr, COLS: constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    col = tl.arange(0, COLS)
    here = (row < rows)[:, None] & (col < width)[None, :]
    at = row.to(tl.int64)[:, None] * width + col[None, :]
    x = tl.load(logits + at, mask=here, other=0.0).to(tl.float32)
    label = tl.load(labels + row, mask=row < rows, other=ignore)
    g = tl.load(grad + row, mask=row < rows, other=0.0).to(tl.float32)
    g = tl.where(label == ignore, 0.0, g)
    s = tl.where(here, tl.where(x < 0, 1 / (1 + tl.abs(x)), 1 + x), 0.0)
    mine = col[None, :] == label[:, None]
    others = tl.sum(tl.where(mine, 0.0, s), axis=1)
    total = tl.maximum(tl.sum(s, axis=1), 1e-30)  # rows beyond the last hold zeros
    push = tl.where(mine, -others[:, None], s) / total[:, None]
    result = g[:, None] * push / (1 + tl.abs(x))
    tl.store(below + at, result.to(below.dtype.element_ty), mask=here)


def _forward(logits: Tensor, labels: Tensor, ignore: int) -> Tensor:
    if not fused(logits):
        return plain(logits, labels, ignore).contiguous()
    logits, labels = logits.contiguous(), labels.contiguous()
    losses, width = labels.new_empty(labels.shape, dtype=torch.float32), logits.shape[-1]
    tile = Tile.of(width)
    grid = (-(-labels.numel() // tile.rows),)
    numbers = (ignore, labels.numel(), width)
    launch(forward_kernel, grid, logits, logits, labels, losses, *numbers, **tile.constants)
    return losses


def _backward(grad: Tensor, logits: Tensor, labels: Tensor, ignore: int) -> Tensor:
    grad, logits, labels = grad.contiguous(), logits.contiguous(), labels.contiguous()
    if not fused(logits):
        return plain_backward(grad, logits, labels, ignore)
    below, width = torch.empty_like(logits), logits.shape[-1]
    tile = Tile.of(width)
    grid = (-(-labels.numel() // tile.rows),)
    numbers = (ignore, labels.numel(), width)
    launch(backward_kernel, grid, logits, grad, logits, labels, below, *numbers, **tile.constants)
    return below


def _keep(ctx, inputs, output):
    logits, labels, ctx.ignore = inputs
    ctx.save_for_backward(logits, labels)


backward_op = operator(
    "stablemax_cross_entropy_backward(Tensor grad, Tensor logits, Tensor labels, int ignore) -> Tensor",
    _backward,
    lambda grad, logits, labels, ignore: logits.new_empty(logits.shape),
)
forward_op = operator(
    "stablemax_cross_entropy(Tensor logits, Tensor labels, int ignore) -> Tensor",
    _forward,
    lambda logits, labels, ignore: logits.new_empty(labels.shape, dtype=torch.float32),
    lambda ctx, grad: (backward_op(grad, *ctx.saved_tensors, ctx.ignore), None, None),
    _keep,
)


def specimens(width: int, dtype: str) -> list[Specimen]:
    """Both kernels for a vocabulary of that size."""
    tensors, numbers = {"logits": f"*{dtype}", "labels": "*i64"}, {"ignore": "i32", "rows": "i32", "width": "i32"}
    tile = Tile.of(width).constants
    backward = {"grad": "*fp32"} | tensors | {"below": f"*{dtype}"} | numbers
    return [
        Specimen("stablemax", forward_kernel, tensors | {"losses": "*fp32"} | numbers, tile),
        Specimen("stablemax backward", backward_kernel, backward, tile),
    ]
