"""How many directions a cloud of vectors fills: estimators that allow for too few rows and too few columns.

With C the covariance of the rows, the participation ratio is (tr C)^2 / tr(C^2), as many as there are equally strong
directions. From P rows and Q columns the plain estimate is too low, 1/estimate = 1/P + 1/Q + 1/true about (Chun et al.
2026), because a row counts as an echo of itself, and a column too. Corrected ones average over distinct rows and
distinct columns alone: they are U-statistics, unbiased above and below the line.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

FEWEST = 4
"""Independent rows that a correction by rows takes: it is an average over four different ones."""


@dataclass(frozen=True)
class Participation:
    """Participation ratios of one cloud. None: the correction leaves nothing below the line, so that the data set no
    upper bound (as with columns that are independent of one another)."""

    naive: float | None
    by_rows: float | None
    by_columns: float | None
    by_both: float | None


def participation(x: Tensor, draws: int, generator: torch.Generator) -> Participation:
    """Of vectors in bundles, (n, R, Q): n independent trajectories of R related vectors each.

    The plain estimate and the one by columns take all n * R rows as they are. Those by rows must not count a
    trajectory's vectors as independent: they average both statistics over draws of one vector from each.

    Args:
        draws: how many of them; one is enough where R is 1.
    """
    bundles, size, _ = x.shape
    rows = x.flatten(0, 1).double()
    squares = (rows - rows.mean(0)).square().sum(0)
    trace, frobenius = _traces(rows)
    own = squares.square().sum()
    above = below = diagonal = torch.zeros((), dtype=torch.float64)
    for _ in range(draws if size > 1 else 1):
        pick = torch.randint(size, (bundles,), generator=generator)
        found = unbiased(x[torch.arange(bundles), pick])
        above, below, diagonal = above + found[0], below + found[1], diagonal + found[2]
    return Participation(
        naive=_ratio(trace**2, frobenius),
        by_rows=_ratio(above, below),
        by_columns=_ratio(trace**2 - own, frobenius - own),
        by_both=_ratio(above - diagonal, below - diagonal),
    )


def unbiased(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(tr C)^2, tr(C^2) and the sum of C's squared diagonal, each unbiased, from independent rows (n, Q), n >= 4.

    (tr C)^2 = E |a-b|^2 |c-d|^2 / 4 and tr(C^2) = E ((a-b).(c-d))^2 / 4 over four different rows a, b, c, d; for a
    single column both are the same, which gives the diagonal. The sums are written out with power sums, so that no
    matrix of rows by rows is needed.
    """
    n = len(x)
    x = x.double() - x.double().mean(0)
    trace, frobenius = _traces(x)
    lengths = x.square().sum(1).square().sum()
    second, fourth = x.square().sum(0), x.square().square().sum(0)
    quadruples = n * (n - 1) * (n - 2) * (n - 3)
    above = ((n * n - 3 * n + 1) * trace**2 + 2 * frobenius - n * (n - 1) * lengths) / quadruples
    below = (frobenius - n / (n - 2) * lengths + trace**2 / ((n - 1) * (n - 2))) / (n * (n - 3))
    diagonal = ((n * n - 3 * n + 3) * second.square() - n * (n - 1) * fourth).sum() / quadruples
    return above, below, diagonal


def harmonic_cap(rows: int, columns: int) -> float:
    """What the plain estimate gives for data that fill every direction alike."""
    return 1 / (1 / rows + 1 / columns)


def effective_rank(x: Tensor) -> tuple[float, float]:
    """Of vectors, (n, Q), about their mean: the effective and the stable rank; zeros where they are all alike.

    Effective rank: exp of the entropy of the singular values, divided by their sum (Roy and Vetterli 2007). Stable
    rank: the sum of their squares over the largest square.
    """
    x = x.double() - x.double().mean(0)
    powers = torch.linalg.eigvalsh(x.T @ x).clamp_min(0)
    largest = powers.max()
    if largest <= 1e-18 * max(len(x), 1):
        return 0.0, 0.0
    values = powers.sqrt()
    share = values / values.sum()
    entropy = -torch.special.xlogy(share, share).sum()
    return float(entropy.exp()), float(powers.sum() / largest)


def _traces(x: Tensor) -> tuple[Tensor, Tensor]:
    """Trace of the scatter matrix of rows, (n, Q), and of its square."""
    x = x - x.mean(0)
    return x.square().sum(), (x.T @ x).square().sum()


def _ratio(above: Tensor, below: Tensor) -> float | None:
    return float(above / below) if below > 1e-9 * above.abs() else None
