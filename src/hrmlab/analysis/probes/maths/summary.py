"""Numbers that sum up a sample, of its finite values: None, never NaN, where there is nothing to sum up."""

import torch
from torch import Tensor


def finite(values: Tensor) -> Tensor:
    """The finite ones among the values, flat, in float64."""
    flat = values.double().flatten()
    return flat[flat.isfinite()]


def median(values: Tensor) -> float | None:
    """The middle value, the mean of two in the middle; None of nothing."""
    found = finite(values)
    return float(found.quantile(0.5)) if len(found) else None


def mean(values: Tensor) -> float | None:
    """The mean, of booleans the share; None of nothing."""
    return float(values.double().mean()) if values.numel() else None


def quartiles(name: str, values: Tensor) -> dict[str, float | None]:
    """`name`, `name_q25` and `name_q75`: the middle and the ends of the middle half."""
    found = finite(values)
    ends = found.quantile(torch.tensor([0.5, 0.25, 0.75]).to(found)).tolist() if len(found) else [None] * 3
    return dict(zip((name, f"{name}_q25", f"{name}_q75"), ends, strict=True))


def by_outcome(values: Tensor, right: Tensor) -> dict[str, float | None]:
    """Medians over the puzzles, (n, ...), that are right at the end, (n,) booleans, and over the others."""
    return {"right": median(values[right]), "wrong": median(values[~right])}


def outcomes(name: str, values: Tensor, right: Tensor) -> dict[str, float | None]:
    """The median over all puzzles as `name`, and those of `by_outcome` as `name_right` and `name_wrong`."""
    return {name: median(values)} | {f"{name}_{end}": value for end, value in by_outcome(values, right).items()}


def ratio(part: float | Tensor, whole: float | Tensor) -> float | None:
    """part / whole; None where there is no whole."""
    return float(part) / float(whole) if float(whole) else None
