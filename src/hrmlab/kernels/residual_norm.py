"""Residual addition and RMS norm in one pass: norm(x + residual), without a learned gain.

Written out in torch this is six passes over the state, and its backward pass keeps the sum and its float32 copy. The
kernel reads both inputs once and keeps the output, which the next layer holds anyway, and one number a row.
"""

import torch
from torch import Tensor

from hrmlab.kernels.operators import operator
from hrmlab.kernels.triton_here import Specimen, Tile, constexpr, fused, jit, launch, tl


def add_rms_norm(x: Tensor, residual: Tensor, eps: float) -> Tensor:
    """rms_norm(x + residual), (..., W) and (..., W) -> (..., W): fused on a GPU, as torch computes it elsewhere."""
    if x.shape == residual.shape and fused(x, residual):
        out: Tensor = forward_op(x, residual, eps)[0]
        return out
    return rms_norm(x + residual, eps)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """x / root mean square over the last dimension, computed in float32, without a learned gain.

    Written out: torch's own copies strided input first, which changes the order of its sums, and is slower on a CPU.
    """
    wide = x.float()
    return (wide * torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + eps)).to(x.dtype)


def plain_forward(x: Tensor, residual: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """What the forward kernel gives: the normalised sum and 1 / its root mean square, (...,) float32."""
    total = x.float() + residual.float()
    inverse = torch.rsqrt(total.square().mean(dim=-1) + eps)
    return (total * inverse[..., None]).to(x.dtype).contiguous(), inverse


def plain_backward(grad: Tensor, out: Tensor, inverse: Tensor) -> Tensor:
    """Gradient of the sum: (g - y mean(g y)) / rms, with y the output."""
    wide, y = grad.float(), out.float()
    along = (wide * y).mean(dim=-1, keepdim=True)
    return ((wide - y * along) * inverse[..., None]).to(grad.dtype)


@jit
def forward_kernel(x, residual, out, inverse, eps, rows, width, ROWS: constexpr, COLS: constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    col = tl.arange(0, COLS)
    here = (row < rows)[:, None] & (col < width)[None, :]
    at = row.to(tl.int64)[:, None] * width + col[None, :]
    total = tl.load(x + at, mask=here, other=0.0).to(tl.float32)
    total += tl.load(residual + at, mask=here, other=0.0).to(tl.float32)
    scale = tl.rsqrt(tl.sum(total * total, axis=1) / width + eps)
    tl.store(out + at, (total * scale[:, None]).to(out.dtype.element_ty), mask=here)
    tl.store(inverse + row, scale, mask=row < rows)


@jit
def backward_kernel(grad, out, inverse, below, rows, width, ROWS: constexpr, COLS: constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    col = tl.arange(0, COLS)
    here = (row < rows)[:, None] & (col < width)[None, :]
    at = row.to(tl.int64)[:, None] * width + col[None, :]
    g = tl.load(grad + at, mask=here, other=0.0).to(tl.float32)
    y = tl.load(out + at, mask=here, other=0.0).to(tl.float32)
    scale = tl.load(inverse + row, mask=row < rows, other=0.0)
    along = tl.sum(g * y, axis=1) / width
    result = (g - y * along[:, None]) * scale[:, None]
    tl.store(below + at, result.to(below.dtype.element_ty), mask=here)


def _forward(x: Tensor, residual: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    if not fused(x, residual):
        return plain_forward(x, residual, eps)
    x, residual = x.contiguous(), residual.contiguous()
    out, inverse = torch.empty_like(x), x.new_empty(x.shape[:-1], dtype=torch.float32)
    rows, width = inverse.numel(), x.shape[-1]
    tile = Tile.of(width)
    grid = (-(-rows // tile.rows),)
    launch(forward_kernel, grid, x, x, residual, out, inverse, eps, rows, width, **tile.constants)
    return out, inverse


def _backward(grad: Tensor, out: Tensor, inverse: Tensor) -> Tensor:
    grad = grad.contiguous()
    if not fused(grad, out):
        return plain_backward(grad, out, inverse)
    below, rows, width = torch.empty_like(grad), inverse.numel(), grad.shape[-1]
    tile = Tile.of(width)
    grid = (-(-rows // tile.rows),)
    launch(backward_kernel, grid, grad, grad, out, inverse, below, rows, width, **tile.constants)
    return below


def _forward_fake(x: Tensor, residual: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape), x.new_empty(x.shape[:-1], dtype=torch.float32)


def _keep(ctx, inputs, output):
    ctx.save_for_backward(*output)


def _back(ctx, grad, _):
    below = backward_op(grad, *ctx.saved_tensors)
    return below, below, None


backward_op = operator(
    "add_rms_norm_backward(Tensor grad, Tensor out, Tensor inverse) -> Tensor",
    _backward,
    lambda grad, out, inverse: grad.new_empty(grad.shape),
)
forward_op = operator(
    "add_rms_norm(Tensor x, Tensor residual, float eps) -> (Tensor, Tensor)", _forward, _forward_fake, _back, _keep
)


def specimens(width: int, dtype: str) -> list[Specimen]:
    """Both kernels for rows of that width."""
    ends, tile = {"rows": "i32", "width": "i32"}, Tile.of(width).constants
    one, number = f"*{dtype}", {"eps": "fp32"}
    forward = {"x": one, "residual": one, "out": one, "inverse": "*fp32"} | number | ends
    backward = {"grad": one, "out": one, "inverse": "*fp32", "below": one} | ends
    return [
        Specimen("add_rms_norm", forward_kernel, forward, tile),
        Specimen("add_rms_norm backward", backward_kernel, backward, tile),
    ]
