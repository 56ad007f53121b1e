"""Two models beside each other, and weights moved from one into the other."""

from dataclasses import dataclass
from typing import Any

from hrmlab.results.base import Result


@dataclass(frozen=True)
class Comparison(Result):
    """What differs between A and B.

    config: each setting that differs: key, a, b (None where that side has no such key), and the difference in words.
    schedule: differences of the recurrence in words; empty if there is none.
    weights: names of B's tensors: kept (same name and shape in A), missing (A has none), reshaped (name, shape in A,
        shape in B); and dropped: A's that B has no place for.
    cost: by name what it is in A and in B, and b/a as ratio (None where A's is zero).
    """

    a: str
    b: str
    config: list[dict[str, Any]]
    schedule: list[str]
    weights: dict[str, list[Any]]
    cost: dict[str, dict[str, float | None]]


@dataclass(frozen=True)
class Transfer(Result):
    """Weights of A in a model of B.

    weights: as in a comparison; missing and reshaped tensors are as B's seed draws them.
    numbers, moved: numbers in B's weights, and how many of them came from A.
    notes: what was moved and what was not, in words.
    """

    run: str
    weights: dict[str, list[Any]]
    numbers: int
    moved: int
    notes: list[str]


@dataclass(frozen=True)
class Fit:
    """Accuracy with a puzzle vector. exact, cell: on the demonstrations. test_*: on other examples, None without."""

    exact: float
    cell: float
    test_exact: float | None
    test_cell: float | None


@dataclass(frozen=True)
class Adaptation(Result):
    """A vector for a new puzzle. before: with the blank vector; after: with the fitted one.

    demonstrations, test: how many examples. loss_before, loss_after: mean token loss in the first and in the last pass.
    steps: updates of the vector. seconds: of fitting. vector: the file.
    """

    run: str
    demonstrations: int
    test: int
    before: Fit
    after: Fit
    loss_before: float
    loss_after: float
    steps: int
    seconds: float
    vector: str
