"""Numbers that sum up a spread: None, never NaN, where there is nothing to sum up."""

from torch import Tensor


def median(values: Tensor) -> float | None:
    """The middle of all finite values; None without any."""
    found = values.double().flatten()
    found = found[found.isfinite()]
    return float(found.quantile(0.5)) if len(found) else None


def mean(values: Tensor) -> float | None:
    """Their mean; None without any."""
    return float(values.double().mean()) if values.numel() else None


def quartiles(name: str, values: Tensor) -> dict[str, float | None]:
    """`name`, `name_q25` and `name_q75`: the middle and the ends of the middle half."""
    found = values.double().flatten()
    found = found[found.isfinite()]
    ends = found.quantile(found.new_tensor([0.5, 0.25, 0.75])).tolist() if len(found) else [None] * 3
    return dict(zip((name, f"{name}_q25", f"{name}_q75"), ends, strict=True))


def by_outcome(values: Tensor, right: Tensor) -> dict[str, float | None]:
    """Medians over the puzzles, (n, ...), that are right in the end, (n,) booleans, and over the others."""
    return {"right": median(values[right]), "wrong": median(values[~right])}
