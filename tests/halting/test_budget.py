"""A depth foretold: the model of P(right after n segments), its threshold and its loss."""

import math

import pytest
import torch
import torch.nn.functional as F
from views import view_of

from hrmlab.errors import ConfigError
from hrmlab.halting import DepthBudget, Outcome

STEPS = torch.tensor([1, 2, 4, 8], dtype=torch.int32)
VALUES = torch.tensor([[math.log(4.0), 1.0]]).expand(4, 2)  # depth 4


def probability(n: int) -> float:
    slope = math.log1p(math.exp(1.0))
    return 1 / (1 + (n / 4.0) ** -slope)


def test_half_is_expected_right_at_the_depth_itself_and_more_after_it():
    expected = DepthBudget().readiness(view_of(STEPS, VALUES)).sigmoid()
    assert expected.tolist() == pytest.approx([probability(n) for n in (1, 2, 4, 8)], rel=1e-5)
    assert expected[2].item() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("threshold", "wants"), [(0.1, [True] * 4), (0.4, [False, False, True, True]), (1, [False] * 4)]
)
def test_it_stops_where_the_expectation_passes_the_threshold(threshold: float, wants: list[bool]):
    assert DepthBudget(threshold=threshold).wants_to_halt(view_of(STEPS, VALUES)).tolist() == wants


def test_every_segment_teaches_by_whether_the_answer_was_right_then():
    right = torch.tensor([False, False, True, True])
    loss = DepthBudget(weight=0.25).losses(view_of(STEPS, VALUES), Outcome(right, torch.zeros(4)))["depth"]
    expected = torch.tensor([probability(n) for n in (1, 2, 4, 8)])
    torch.testing.assert_close(loss, 0.25 * F.binary_cross_entropy(expected, right.float(), reduction="sum"))


def test_its_dial_goes_back_and_forth_and_stays_a_probability():
    assert DepthBudget().at(DepthBudget(threshold=0.3).cutoff).threshold == pytest.approx(0.3)
    assert 0 < DepthBudget().at(-1e4).threshold <= DepthBudget().at(1e4).threshold <= 1
    with pytest.raises(ConfigError, match="threshold=0"):
        DepthBudget(threshold=0)
