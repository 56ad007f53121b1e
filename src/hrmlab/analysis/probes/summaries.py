"""Medians and quartiles over puzzles, None where there are none."""

from torch import Tensor


def median(values: Tensor) -> float | None:
    """The middle of all numbers of a tensor; None of an empty one."""
    return float(values.float().quantile(0.5)) if values.numel() else None


def quartiles(name: str, values: Tensor) -> dict[str, float | None]:
    """Median and the ends of the middle half, as `name`, `name_q25`, `name_q75`."""
    shares = {"": 0.5, "_q25": 0.25, "_q75": 0.75}
    return {f"{name}{end}": float(values.float().quantile(q)) if values.numel() else None for end, q in shares.items()}


def by_outcome(values: Tensor, right: Tensor) -> dict[str, float | None]:
    """Medians of (n,) numbers over the puzzles answered rightly, and over the others."""
    return {"right": median(values[right]), "wrong": median(values[~right])}


def ratio(part: float | Tensor, whole: float | Tensor) -> float | None:
    """part / whole; None where there is no whole."""
    return float(part) / float(whole) if float(whole) else None
