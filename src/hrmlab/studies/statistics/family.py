"""Several comparisons of one study: the more are tried, the likelier one looks good by chance."""

from collections.abc import Sequence

from hrmlab.errors import DataError


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted for their number, in their order; Holm 1979.

    Those below a level are true together: the chance of even one false claim is at most that level.

    Raises:
        DataError: a value outside of 0 to 1.
    """
    if not all(0 <= p <= 1 for p in p_values):
        raise DataError(f"p-values {list(p_values)} came; wanted numbers from 0 to 1")
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted
