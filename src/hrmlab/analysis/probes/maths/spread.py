"""Middles and quartiles of numbers over puzzles, None where there is nothing to take them of."""

import torch
from torch import Tensor


def median(values: Tensor) -> float | None:
    """Of the finite ones among the values, whatever their shape."""
    finite = values.float()[values.isfinite()]
    return float(finite.quantile(0.5)) if finite.numel() else None


def quartiles(name: str, values: Tensor) -> dict[str, float | None]:
    """`name`, `name_q25`, `name_q75` of the finite ones among the values."""
    finite = values.float()[values.isfinite()]
    if not finite.numel():
        return dict.fromkeys((name, f"{name}_q25", f"{name}_q75"))
    low, middle, high = finite.quantile(torch.tensor([0.25, 0.5, 0.75], device=finite.device)).tolist()
    return {name: middle, f"{name}_q25": low, f"{name}_q75": high}


def by_outcome(values: Tensor, right: Tensor) -> dict[str, float | None]:
    """Medians of the values, (n,), over the puzzles answered rightly and over the others."""
    return {"right": median(values[right]), "wrong": median(values[~right])}
