"""Tensors for the tests of kernels: shapes and types that hypothesis draws, and how far each type may be off.

The same tests run twice: here, where the operators compute with their plain twins, and in a process with
TRITON_INTERPRET=1 (`tests/kernels/test_interpreted.py`), where Triton's interpreter runs the kernels on the CPU.
"""

from dataclasses import dataclass

import torch
from hypothesis import strategies as st
from torch import Tensor

ULP = {torch.float32: 2.0**-23, torch.bfloat16: 2.0**-7, torch.float16: 2.0**-10}
"""Distance of neighbouring numbers at 1. Triton's interpreter cuts bfloat16 off instead of rounding it."""
WIDTHS = st.integers(1, 40) | st.sampled_from([64, 88, 130, 512, 600])


@dataclass(frozen=True)
class Case:
    shape: tuple[int, ...]
    dtype: torch.dtype
    turned: bool
    seed: int

    def tensors(self, count: int, scale: float = 1.0) -> list[Tensor]:
        """Leaves that ask for gradient; `turned` ones are views whose rows do not lie together."""
        generator = torch.Generator().manual_seed(self.seed)

        def draw() -> Tensor:
            flat = torch.randn(self.shape, generator=generator) * scale
            flat = flat.mT.contiguous().mT if self.turned and len(self.shape) > 1 else flat
            return flat.to(self.dtype).requires_grad_()

        return [draw() for _ in range(count)]


def cases(widths: st.SearchStrategy[int] = WIDTHS) -> st.SearchStrategy[Case]:
    """Up to three leading dimensions, empty ones among them."""
    leading = st.lists(st.integers(0, 4), min_size=1, max_size=3)
    shapes = st.tuples(leading, widths).map(lambda pair: (*pair[0], pair[1]))
    return st.builds(Case, shapes, st.sampled_from(list(ULP)), st.booleans(), st.integers(0, 99))


def close(came: Tensor, wanted: Tensor, dtype: torch.dtype, ulps: float = 2.0) -> None:
    """Within so many units in the last place of the type, of the number itself and of 1."""
    tolerance = ulps * max(ULP[dtype], 2.0**-21)  # sums of float32 round more than once
    torch.testing.assert_close(came.double(), wanted.double(), rtol=tolerance, atol=tolerance)
