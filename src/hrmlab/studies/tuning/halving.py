"""Successive halving on the learning curve, without waiting for others (ASHA, Li et al. 2020, arXiv 1810.05934)."""

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

RUNGS = (0.25, 0.5)
"""Shares of the training budget at which a trial is compared with those that came so far."""
KEPT = 0.5
"""The share that goes on."""
FIRST = 3
"""So many trials go on at every rung without being compared."""


class Score(NamedTuple):
    """exact: share of puzzles all right. cost: operations for an answer."""

    exact: float
    cost: float


def goes_on(mine: Score, others: Sequence[Score]) -> bool:
    """Whether a trial is trained further: it is in the better half by accuracy, or no other is as good for less.

    Args:
        others: what the other trials had at the same rung.
    """
    if len(others) < FIRST or not any(dominates(other, mine) for other in others):
        return True
    better = sum(other.exact > mine.exact for other in others)
    return better < ceil(KEPT * (len(others) + 1))


def dominates(a: Score, b: Score) -> bool:
    """Whether a is no worse than b in both accuracy and cost, and better in one."""
    return a.exact >= b.exact and a.cost <= b.cost and a != b
