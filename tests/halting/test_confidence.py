"""Confidence, margin and entropy against probabilities written out."""

import math

import pytest
import torch
from views import view_of

from hrmlab.halting import Confidence, Entropy, HaltingConfig, Margin

# Two puzzles of two cells and three symbols.
P = torch.tensor([[[0.7, 0.2, 0.1], [0.98, 0.01, 0.01]], [[0.5, 0.4, 0.1], [0.45, 0.3, 0.25]]])
VIEW = view_of(torch.tensor([3, 3]), torch.zeros(2, 2), logits=P.log() + 5)


def entropy(*p: float) -> float:
    return -sum(x * math.log(x) for x in p)


@pytest.mark.parametrize(
    ("rule", "ready"),
    [
        (Confidence(), [0.7, 0.45]),
        (Confidence(over="mean"), [0.84, 0.475]),
        (Margin(), [0.5, 0.1]),
        (Margin(over="mean"), [(0.5 + 0.97) / 2, 0.125]),
        (
            Entropy(),
            [
                -(entropy(0.7, 0.2, 0.1) + entropy(0.98, 0.01, 0.01)) / 2,
                -(entropy(0.5, 0.4, 0.1) + entropy(0.45, 0.3, 0.25)) / 2,
            ],
        ),
    ],
)
def test_readiness_is_what_the_probabilities_say(rule: HaltingConfig, ready: list[float]):
    assert rule.readiness(VIEW).tolist() == pytest.approx(ready, rel=1e-5)


@pytest.mark.parametrize(
    "rule",
    [Confidence(threshold=0.6), Margin(threshold=0.3), Entropy(threshold=0.7), Confidence(over="mean", threshold=0.8)],
)
def test_the_sure_one_stops_and_the_other_goes_on(rule: HaltingConfig):
    assert rule.wants_to_halt(VIEW).tolist() == [True, False]


@pytest.mark.parametrize("rule", [Confidence(), Margin(), Entropy()])
def test_the_dial_sets_the_cutoff(rule: HaltingConfig):
    low, high = rule.readiness(VIEW).sort().values.double().tolist()
    between = rule.at((low + high) / 2)
    assert between.cutoff == pytest.approx((low + high) / 2)
    assert between.wants_to_halt(VIEW).sum() == 1
