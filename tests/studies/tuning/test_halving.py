"""Who goes on at a rung."""

import pytest

from hrmlab.studies.tuning.halving import Score, dominates, goes_on

OTHERS = [Score(0.9, 10), Score(0.8, 10), Score(0.2, 10), Score(0.1, 10)]


@pytest.mark.parametrize(
    ("exact", "cost", "on"),
    [
        (0.85, 20, True),  # second of five
        (0.5, 20, True),  # third of five
        (0.15, 20, False),  # fourth
        (0.15, 5, True),  # nobody is as cheap
        (0.0, 10, False),
    ],
)
def test_the_better_half_and_the_cheapest_go_on(exact: float, cost: float, on: bool) -> None:
    assert goes_on(Score(exact, cost), OTHERS) is on


def test_the_first_trials_are_not_compared() -> None:
    assert goes_on(Score(0.0, 100), OTHERS[:2])


def test_dominance_is_strict_in_one_and_never_mutual() -> None:
    assert dominates(Score(0.5, 1), Score(0.5, 2)) and dominates(Score(0.6, 1), Score(0.5, 1))
    assert not dominates(Score(0.5, 1), Score(0.5, 1))
    assert not dominates(Score(0.6, 2), Score(0.5, 1)) and not dominates(Score(0.5, 1), Score(0.6, 2))
