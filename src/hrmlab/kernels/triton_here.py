"""Triton where it is installed. Without it this package still imports, and only the plain twins run.

Triton comes with torch's CUDA builds; beside a CPU build it is the extra `gpu`. With TRITON_INTERPRET=1 in the
environment, before this module is first imported, its interpreter runs the kernels on the CPU: for tests.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = tl = None

__all__ = ["AVAILABLE", "INTERPRETED", "Specimen", "Tile", "constexpr", "fused", "jit", "launch", "tl", "triton"]

AVAILABLE = triton is not None
INTERPRETED = bool(AVAILABLE and triton.knobs.runtime.interpret)
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
WIDEST = 16384
"""Longest row that one program holds in registers; longer ones are left to the plain twins."""

if TYPE_CHECKING:
    constexpr = int
else:
    constexpr = tl.constexpr if AVAILABLE else int


def jit(function: Callable[..., None]) -> Any:
    """`triton.jit`, or the function as it is where there is no Triton."""
    return triton.jit(function) if AVAILABLE else function


def fused(*tensors: Tensor) -> bool:
    """Whether kernels can take these floating-point tensors: all on a GPU (or interpreted), of one type that they know
    and one row width that they hold. The one place where kernel or plain twin is decided."""
    if not AVAILABLE:
        return False
    devices = ("cuda", "cpu") if INTERPRETED else ("cuda",)
    first = tensors[0]
    return all(t.device == first.device and t.dtype == first.dtype and t.shape[-1] <= WIDEST for t in tensors) and (
        first.device.type in devices and first.dtype in DTYPES
    )


def launch(kernel: Any, grid: tuple[int, ...], on: Tensor, *arguments: Any, **constants: int) -> None:
    """Run a kernel on the device of `on`; nothing where the grid is empty."""
    if min(grid) > 0:
        with torch.cuda.device(on.device) if on.is_cuda else nullcontext():
            kernel[grid](*arguments, **constants)


@dataclass(frozen=True)
class Tile:
    """What one program works on: `rows` x `cols` elements, both powers of two, by `warps` warps of 32 threads."""

    rows: int
    cols: int

    @staticmethod
    def of(width: int, elements: int = 2048, most_cols: int = WIDEST) -> "Tile":
        """About so many elements, whole rows of `width` where they fit into `most_cols`."""
        cols = min(_power_of_two(width), most_cols)
        return Tile(max(1, elements // cols), cols)

    @property
    def warps(self) -> int:
        return min(16, max(4, self.rows * self.cols // 512))

    @property
    def constants(self) -> dict[str, int]:
        """As kernels take it."""
        return {"ROWS": self.rows, "COLS": self.cols, "num_warps": self.warps}


@dataclass(frozen=True)
class Specimen:
    """A kernel at one size and type, to be compiled ahead of time.

    signature: the types of its run-time arguments by name, in order, as Triton writes them (`*bf16`, `i32`).
    constants: of its compile-time arguments and `num_warps`.
    """

    name: str
    kernel: Any
    signature: dict[str, str]
    constants: dict[str, int] = field(default_factory=dict)


def _power_of_two(number: int) -> int:
    """The smallest that is not below."""
    return 1 << max(0, number - 1).bit_length()
