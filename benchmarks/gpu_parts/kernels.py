"""The kernels: what they take of this GPU, whether they are right, what they gain."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from gpu_parts.table import Clock, Row
from gpu_parts.timing import Run, graphed, interleaved
from hrmlab.kernels import aot, gated, residual_norm, sparse_sign, stablemax, triton_here
from hrmlab.losses import IGNORE

DEVICE = torch.device("cuda", 0)
ROWS, WIDTH, HIDDEN, VOCABULARY = 64 * 97, 512, 1536, 11  # Sudoku-Extreme: 81 cells and 16 puzzle slots, batch 64
EPS = 1e-5

Case = tuple[Callable[..., Tensor], Callable[..., Tensor], tuple[object, ...]]
"""An operator, its twin, and the arguments of both."""


def registers(clock: Clock) -> Iterator[Row]:
    """Kernels compiled for this GPU: registers a thread, and that none are spilled."""
    major, minor = torch.cuda.get_device_capability(DEVICE)
    for specimen in aot.specimens("bf16"):
        use = aot.compile_for(specimen, "bf16", 10 * major + minor)
        note = f"{use.shared} bytes of shared memory, {use.spills} bytes spilled"
        yield Row(use.kernel, use.registers, "registers", use.spills == 0, note)


def cases(dtype: torch.dtype, rows: int, scale: float = 1.0) -> dict[str, Case]:
    """Every differentiable operator at the sizes of HRM; tensors that ask for gradient."""

    def draw(width: int) -> Tensor:
        return (torch.randn(rows, width, device=DEVICE) * scale).to(dtype).requires_grad_()

    labels = torch.randint(0, VOCABULARY, (rows,), device=DEVICE)
    labels[::7] = IGNORE
    norm = (draw(WIDTH), draw(WIDTH), EPS)
    return {
        "add_rms_norm": (residual_norm.add_rms_norm, lambda x, r, eps: residual_norm.rms_norm(x + r, eps), norm),
        "swiglu": (gated.swiglu, gated.plain, (draw(HIDDEN), draw(HIDDEN))),
        "swiglu_halves": (gated.swiglu_halves, lambda x: gated.plain(*x.chunk(2, dim=-1)), (draw(2 * HIDDEN),)),
        "stablemax": (stablemax.stablemax_cross_entropy, stablemax.plain, (draw(VOCABULARY), labels, IGNORE)),
    }


def results(function: Callable[..., Tensor], arguments: tuple[object, ...], above: Tensor) -> list[Tensor]:
    """What comes out, and the gradients of the inputs where its own is `above`."""
    leaves = [a for a in arguments if isinstance(a, Tensor) and a.requires_grad]
    out = function(*arguments)
    return [out.detach(), *torch.autograd.grad(out, leaves, above.to(out.dtype))]


def gradient_above(case: Case, dtype: torch.dtype) -> Tensor:
    """A gradient of the output that the type holds exactly."""
    kernel, _, arguments = case
    with torch.no_grad():
        shape = kernel(*arguments).shape
    return torch.linspace(-1, 1, shape.numel(), device=DEVICE).view(shape).to(dtype)


def exactly(name: str, arguments: tuple[object, ...], above: Tensor) -> list[Tensor]:
    """The results in float64."""
    wide = tuple(a.detach().double().requires_grad_() if _floats(a) else a for a in arguments)

    def norm(x: Tensor, residual: Tensor, eps: float) -> Tensor:
        total = x + residual
        return total * torch.rsqrt(total.square().mean(dim=-1, keepdim=True) + eps)

    formulas: dict[str, Callable[..., Tensor]] = {
        "add_rms_norm": norm,
        "swiglu": gated.plain,
        "swiglu_halves": lambda x: gated.plain(*x.chunk(2, dim=-1)),
        "stablemax": lambda *given: stablemax.plain(*given, torch.float64),
    }
    return results(formulas[name], wide, above)


def parity(clock: Clock) -> Iterator[Row]:
    """Operators and gradients against their twins in float64: within twice the twins' own error, or a last place."""
    for dtype in triton_here.DTYPES:
        for name, case in cases(dtype, rows=1001, scale=3.0).items():
            kernel, twin, arguments = case
            above = gradient_above(case, dtype)
            wanted = exactly(name, arguments, above)
            ours = _distances(results(kernel, arguments, above), wanted)
            theirs = _distances(results(twin, arguments, above), wanted)
            place = torch.finfo(dtype).eps
            allowed = [max(2 * other, 4 * place) for other in theirs]
            holds = all(one <= most for one, most in zip(ours, allowed, strict=True))
            kind = str(dtype).removeprefix("torch.")
            yield Row(f"{name} {kind}", max(ours), "largest error", holds, f"the twin's: {max(theirs):.3g}")
    yield _sparse_parity()


def _sparse_parity() -> Row:
    table = torch.randn(5000, WIDTH, device=DEVICE)
    ids, gradients = torch.randint(0, 500, (768,), device=DEVICE), torch.randn(768, WIDTH, device=DEVICE)
    wanted, doubled = table.clone(), gradients.double()
    sparse_sign.sign_sgd(table, ids, gradients, 1e-2, 0.1)
    sums = torch.zeros(5000, WIDTH, device=DEVICE, dtype=torch.float64).index_add_(0, ids, doubled)
    touched = ids.unique()
    wanted[touched] = wanted[touched] * (1 - 1e-3) - 1e-2 * sums[touched].sign().float()
    off = (table - wanted).abs()
    flipped = int((off > 1e-3).sum())  # a sum so near zero that float32 gives it another sign
    largest = float(off[off <= 1e-3].max())
    return Row("sign_sgd", largest, "largest error", flipped <= 4 and largest < 1e-6, f"{flipped} signs differ")


def _floats(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_floating_point()


def _distances(came: list[Tensor], wanted: list[Tensor]) -> list[float]:
    """Largest errors, relative where numbers are above 1."""
    return [float(((a.double() - b) / b.abs().clamp_min(1)).abs().max()) for a, b in zip(came, wanted, strict=True)]


def kernels(clock: Clock) -> Iterator[Row]:
    """Microseconds a call, forward and backward, by kernel, eager twin and compiled twin: in CUDA graphs, so that the
    time of launching is in none of them; medians of interleaved rounds."""
    for name, case in cases(torch.bfloat16, ROWS).items():
        kernel, twin, arguments = case
        above = gradient_above(case, torch.bfloat16)
        compiled_twin = torch.compile(twin, dynamic=False)
        ways = {"kernel": kernel, "twin": twin, "compiled twin": compiled_twin}
        runs: dict[str, Run] = {way: lambda f=f, a=arguments, g=above: results(f, a, g) for way, f in ways.items()}
        graphs = {way: graphed(run, calls=10) for way, run in runs.items()}
        moved = sum(a.numel() * a.element_size() for a in arguments if isinstance(a, Tensor))
        for way, (median, spread) in interleaved({way: graph.replay for way, graph in graphs.items()}).items():
            note = f"spread {spread:.0%}; inputs of {moved / 2**20:.1f} MiB"
            yield Row(f"{name}, {way}", 100 * median, "us", note=note)
    yield from _sparse_times()


def _sparse_times() -> Iterator[Row]:
    table = torch.randn(100_000, WIDTH, device=DEVICE)
    ids, gradients = torch.randint(0, 100_000, (768,), device=DEVICE), torch.randn(768, WIDTH, device=DEVICE)
    arguments = (table, ids, gradients, 1e-2, 0.1)
    runs: dict[str, Run] = {
        "kernel": lambda: sparse_sign.sign_sgd(*arguments),
        "twin": lambda: sparse_sign.plain(*arguments),
    }
    for way, (median, spread) in interleaved(runs).items():
        yield Row(f"sign_sgd, {way}", 1000 * median, "us", note=f"spread {spread:.0%}; launching included")
