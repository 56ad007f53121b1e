"""The matrix products of a model: their shapes, and how fast each runs alone (the points of a roofline)."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from hrmlab.analysis.timing import interleaved
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM

Shape = tuple[int, int, int, int]
"""Batch, rows, inner size, columns."""


@dataclass(frozen=True)
class Product:
    """One shape of product. calls: in a segment. intensity: operations a byte moved. flops: attained a second."""

    shape: Shape
    calls: int
    intensity: float
    flops: float


class _Listener(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.shapes: Counter[Shape] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        operands = {"mm": args[:2], "bmm": args[:2], "addmm": args[1:3]}.get(func.overloadpacket.__name__)
        if operands:
            a, b = operands
            batch = a.shape[0] if a.ndim == 3 else 1
            self.shapes[batch, a.shape[-2], a.shape[-1], b.shape[-1]] += 1
        return func(*args, **(kwargs or {}))


def products(model: HRM, batch: Batch, seconds: float, most: int = 6) -> list[Product]:
    """The products that most operations of one segment go into, each timed alone; attention kernels are not listed."""
    with torch.no_grad(), _Listener() as heard:
        model(model.empty_carry(batch).states, batch)
    work = {shape: calls * _operations(shape) for shape, calls in heard.shapes.items()}
    chosen = sorted(work, key=lambda shape: -work[shape])[:most]
    found = interleaved({str(shape): _run(shape, model.initial.device) for shape in chosen}, seconds)
    return [
        Product(shape, heard.shapes[shape], _operations(shape) / _moved(shape), _operations(shape) / timing.median)
        for shape, timing in zip(chosen, found.values(), strict=True)
    ]


def _operations(shape: Shape) -> int:
    batch, rows, inner, columns = shape
    return 2 * batch * rows * inner * columns


def _moved(shape: Shape) -> int:
    """Bytes of float32 read and written if every operand crosses the memory once."""
    batch, rows, inner, columns = shape
    return 4 * batch * (rows * inner + inner * columns + rows * columns)


def _run(shape: Shape, device: torch.device) -> Callable[[], object]:
    batch, rows, inner, columns = shape
    a, b = torch.randn(batch, rows, inner, device=device), torch.randn(batch, columns, inner, device=device).mT
    return (lambda: a @ b) if batch > 1 else (lambda: a[0] @ b[0])
