"""Answers and probabilities that stand still, over sequences written out."""

import pytest
import torch
from views import sequence_of

from hrmlab.halting import AnswerStability, HaltingConfig, KLStability

# The grids of one puzzle of two cells, segment by segment.
GRIDS = torch.tensor([[0, 1], [0, 2], [0, 2], [0, 2], [1, 2], [1, 2], [0, 2]])
NOTHING = torch.zeros(len(GRIDS), 2)


def logits(grids: torch.Tensor, height: float = 4.0) -> torch.Tensor:
    return torch.nn.functional.one_hot(grids, 3) * height


def stops(rule: HaltingConfig, logits: torch.Tensor) -> list[bool]:
    return [rule.wants_to_halt(view).item() for view in sequence_of(rule, torch.zeros(len(logits), 2), logits=logits)]


@pytest.mark.parametrize(
    ("patience", "wants"),
    [
        (1, [False, False, True, True, False, True, False]),
        (2, [False, False, False, True, False, False, False]),
        (3, [False] * 7),
    ],
)
def test_it_stops_after_as_many_segments_without_a_change(patience: int, wants: list[bool]):
    assert stops(AnswerStability(patience=patience), logits(GRIDS)) == wants


def test_patience_is_the_least_that_passes_a_cutoff():
    assert [AnswerStability().at(cutoff).patience for cutoff in (-3.0, 0.5, 1.5, 2.0)] == [1, 1, 2, 3]


def test_the_divergence_is_that_of_the_new_probabilities_from_the_old_in_nats():
    p = torch.tensor([[[0.7, 0.2, 0.1], [0.2, 0.2, 0.6]], [[0.6, 0.3, 0.1], [0.2, 0.2, 0.6]]])
    rule = KLStability()
    first, second = (rule.readiness(view).item() for view in sequence_of(rule, torch.zeros(2, 2), logits=p.log()))
    wanted = (p[1] * (p[1] / p[0]).log()).sum(-1).mean()
    assert first == -torch.inf and second == pytest.approx(-wanted.item(), rel=1e-4)


def test_a_grid_may_stand_still_while_probabilities_move():
    moving = torch.stack([logits(GRIDS[1], height) for height in (1.0, 2.0, 4.0, 4.0)])
    assert stops(AnswerStability(patience=1), moving) == [False, True, True, True]
    assert stops(KLStability(threshold=1e-3), moving) == [False, False, False, True]
