"""SwiGLU's gate in one pass: silu(gate) * up (Shazeer 2020, arXiv 2002.05202), for halves of one tensor or for two.

These are the widest tensors of a block. The kernels read them once forward and once backward, and keep nothing between
but the inputs; the halves' gradient is written into one tensor, without a pass that joins them.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.kernels.operators import operator
from hrmlab.kernels.triton_here import Specimen, Tile, constexpr, fused, jit, launch, tl

MOST_COLS = 512


def swiglu(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up, (..., W) and (..., W) -> (..., W): fused on a GPU, as torch computes it elsewhere."""
    if gate.shape == up.shape and fused(gate, up):
        out: Tensor = forward_op(gate, up)
        return out
    return plain(gate, up)


def swiglu_halves(gate_up: Tensor) -> Tensor:
    """The same of a tensor's two halves, (..., 2 W) -> (..., W)."""
    if fused(gate_up):
        out: Tensor = halves_op(gate_up)
        return out
    return plain(*gate_up.chunk(2, dim=-1))


def plain(gate: Tensor, up: Tensor) -> Tensor:
    return F.silu(gate) * up


def plain_backward(grad: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """Gradients of gate and up, computed in float32."""
    g, x = grad.float(), gate.float()
    share = x.sigmoid()
    slope = share * (1 + x * (1 - share))
    return (g * up.float() * slope).to(gate.dtype), (g * x * share).to(up.dtype)


@jit
def forward_kernel(gate, up, out, rows, width, stride, ROWS: constexpr, COLS: constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    col = tl.program_id(1) * COLS + tl.arange(0, COLS)
    here = (row < rows)[:, None] & (col < width)[None, :]
    row_at = row.to(tl.int64)[:, None]
    at = row_at * stride + col[None, :]
    x = tl.load(gate + at, mask=here, other=0.0).to(tl.float32)
    result = x * tl.sigmoid(x) * tl.load(up + at, mask=here, other=0.0).to(tl.float32)
    tl.store(out + row_at * width + col[None, :], result.to(out.dtype.element_ty), mask=here)


@jit
def backward_kernel(grad, gate, up, below_gate, below_up, rows, width, stride, ROWS: constexpr, COLS: constexpr):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    col = tl.program_id(1) * COLS + tl.arange(0, COLS)
    here = (row < rows)[:, None] & (col < width)[None, :]
    row_at = row.to(tl.int64)[:, None]
    at = row_at * stride + col[None, :]
    g = tl.load(grad + row_at * width + col[None, :], mask=here, other=0.0).to(tl.float32)
    x = tl.load(gate + at, mask=here, other=0.0).to(tl.float32)
    u = tl.load(up + at, mask=here, other=0.0).to(tl.float32)
    share = tl.sigmoid(x)
    slope = share * (1 + x * (1 - share))
    tl.store(below_gate + at, (g * u * slope).to(below_gate.dtype.element_ty), mask=here)
    tl.store(below_up + at, (g * x * share).to(below_up.dtype.element_ty), mask=here)


def _run(kernel, shaped: Tensor, tensors: tuple[Tensor, ...], stride: int) -> None:
    """Over every element of the contiguous `shaped`; the halves' rows lie `stride` apart."""
    width = shaped.shape[-1]
    rows, tile = shaped.numel() // max(width, 1), Tile.of(width, most_cols=MOST_COLS)
    grid = (-(-rows // tile.rows), -(-width // tile.cols))
    launch(kernel, grid, shaped, *tensors, rows, width, stride, **tile.constants)


def _halves(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Views of the halves of a contiguous tensor."""
    first, second = tensor.chunk(2, dim=-1)
    return first, second


def _forward(gate: Tensor, up: Tensor) -> Tensor:
    gate, up = gate.contiguous(), up.contiguous()
    if not fused(gate, up):
        return plain(gate, up)
    out = torch.empty_like(gate)
    _run(forward_kernel, out, (gate, up, out), gate.shape[-1])
    return out


def _backward(grad: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    grad, gate, up = grad.contiguous(), gate.contiguous(), up.contiguous()
    if not fused(grad, gate, up):
        return plain_backward(grad, gate, up)
    below = torch.empty_like(gate), torch.empty_like(up)
    _run(backward_kernel, grad, (grad, gate, up, *below), gate.shape[-1])
    return below


def _halves_forward(gate_up: Tensor) -> Tensor:
    gate_up = gate_up.contiguous()
    gate, up = _halves(gate_up)
    if not fused(gate_up):
        return plain(gate, up)
    out = gate_up.new_empty(gate.shape)
    _run(forward_kernel, out, (gate, up, out), gate_up.shape[-1])
    return out


def _halves_backward(grad: Tensor, gate_up: Tensor) -> Tensor:
    grad, gate_up = grad.contiguous(), gate_up.contiguous()
    gate, up = _halves(gate_up)
    if not fused(grad, gate_up):
        return torch.cat(plain_backward(grad, gate, up), dim=-1)
    below = torch.empty_like(gate_up)
    _run(backward_kernel, grad, (grad, gate, up, *_halves(below)), gate_up.shape[-1])
    return below


def _keep(ctx, inputs, output):
    ctx.save_for_backward(*inputs)


backward_op = operator(
    "swiglu_backward(Tensor grad, Tensor gate, Tensor up) -> (Tensor, Tensor)",
    _backward,
    lambda grad, gate, up: (gate.new_empty(gate.shape), up.new_empty(up.shape)),
)
forward_op = operator(
    "swiglu(Tensor gate, Tensor up) -> Tensor",
    _forward,
    lambda gate, up: gate.new_empty(gate.shape),
    lambda ctx, grad: backward_op(grad, *ctx.saved_tensors),
    _keep,
)
halves_backward_op = operator(
    "swiglu_halves_backward(Tensor grad, Tensor gate_up) -> Tensor",
    _halves_backward,
    lambda grad, gate_up: gate_up.new_empty(gate_up.shape),
)
halves_op = operator(
    "swiglu_halves(Tensor gate_up) -> Tensor",
    _halves_forward,
    lambda gate_up: gate_up.new_empty((*gate_up.shape[:-1], gate_up.shape[-1] // 2)),
    lambda ctx, grad: halves_backward_op(grad, *ctx.saved_tensors),
    _keep,
)


def specimens(width: int, dtype: str) -> list[Specimen]:
    """Both kernels for halves of that width."""
    one, ends = f"*{dtype}", {"rows": "i32", "width": "i32", "stride": "i32"}
    tile = Tile.of(width, most_cols=MOST_COLS).constants
    forward = dict.fromkeys(("gate", "up", "out"), one) | ends
    backward = dict.fromkeys(("grad", "gate", "up", "below_gate", "below_up"), one) | ends
    return [
        Specimen("swiglu", forward_kernel, forward, tile),
        Specimen("swiglu backward", backward_kernel, backward, tile),
    ]
