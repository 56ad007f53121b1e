"""Numbers that sum up a sample: medians and quartiles, of all puzzles or of those answered rightly."""

from torch import Tensor


def median(values: Tensor) -> float | None:
    """The middle value, the mean of two in the middle; None of nothing."""
    return float(values.float().quantile(0.5)) if values.numel() else None


def mean(values: Tensor) -> float | None:
    """The mean, of booleans the share; None of nothing."""
    return float(values.float().mean()) if values.numel() else None


def quartiles(name: str, values: Tensor) -> dict[str, float | None]:
    """`name`, `name_q25` and `name_q75`: median and quartiles of a sample."""
    if not values.numel():
        return dict.fromkeys((name, f"{name}_q25", f"{name}_q75"))
    low, middle, high = (float(values.float().quantile(q)) for q in (0.25, 0.5, 0.75))
    return {name: middle, f"{name}_q25": low, f"{name}_q75": high}


def by_outcome(name: str, values: Tensor, right: Tensor) -> dict[str, float | None]:
    """Medians over all puzzles, `name`, and over those right and wrong at the end; values and right are (n,)."""
    return {name: median(values), f"{name}_right": median(values[right]), f"{name}_wrong": median(values[~right])}
