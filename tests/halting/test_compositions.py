"""Rules made of rules: who halts, what is remembered, who teaches, and the budget over a batch."""

import pytest
import torch
from views import sequence_of, view_of

from hrmlab.errors import ConfigError
from hrmlab.halting import (
    AllOf,
    AnswerStability,
    AnyOf,
    Confidence,
    Correctness,
    Fixed,
    GlobalBudget,
    HaltingConfig,
    Outcome,
    QLearning,
)

# Sure after the second segment; the answer changes at the fourth.
HEIGHTS = torch.tensor([0.1, 5.0, 5.0, 5.0, 5.0])
GRIDS = torch.tensor([0, 0, 0, 1, 1])
LOGITS = torch.nn.functional.one_hot(GRIDS, 3)[:, None] * HEIGHTS[:, None, None]
RULES = (Confidence(threshold=0.8), AnswerStability(patience=2))


def wants(rule: HaltingConfig) -> list[bool]:
    return [rule.wants_to_halt(view).item() for view in sequence_of(rule, torch.zeros(5, 2), logits=LOGITS)]


def test_any_and_all_are_or_and_and_of_rules_with_a_memory_each():
    assert wants(RULES[0]) == [False, True, True, True, True]
    assert wants(RULES[1]) == [False, False, True, False, False]
    assert wants(AnyOf(rules=RULES)) == [False, True, True, True, True]
    assert wants(AllOf(rules=RULES)) == [False, False, True, False, False]
    assert wants(AllOf(rules=(AnyOf(rules=RULES), RULES[1]))) == wants(RULES[1])


def test_the_limits_are_the_wholes():
    rule = AnyOf(rules=(Confidence(threshold=0.0, min_segments=9),), min_segments=2, max_segments=4)
    view = view_of(torch.tensor([1, 2, 3, 4]), torch.zeros(4, 2))
    assert rule.halted(view, torch.ones(4, dtype=torch.int32)).tolist() == [False, True, True, True]
    never = AllOf(rules=(Fixed(max_segments=1),), max_segments=4)
    assert never.halted(view, torch.ones(4, dtype=torch.int32)).tolist() == [False] * 3 + [True]


def test_the_first_member_that_learns_teaches_the_head():
    whole = AnyOf(rules=(Confidence(), Correctness(weight=0.3), QLearning()), max_segments=4)
    view, outcome = (
        view_of(torch.tensor([1, 2]), torch.randn(2, 2)),
        Outcome(torch.tensor([True, False]), torch.ones(2)),
    )
    assert whole.losses(view, outcome) == Correctness(weight=0.3).losses(view, outcome)
    assert AnyOf(rules=(Confidence(),)).losses(view, outcome) == {}


def budget(values: list[float], steps: list[int], mean: float, threshold: float = 1.0) -> list[bool]:
    rule = GlobalBudget(rules=(Correctness(threshold=threshold),), mean_segments=mean)
    values_ = torch.tensor([[value, 0.0] for value in values])
    return rule.wants_to_halt(view_of(torch.tensor(steps), values_)).tolist()


def test_one_slot_in_so_many_stops_the_readiest_first():
    assert budget([0.1, 3.0, -1.0, 2.0], [1, 1, 1, 1], mean=4) == [False, True, False, False]
    assert budget([0.1, 3.0, -1.0, 2.0], [1, 1, 1, 1], mean=2) == [False, True, False, True]
    assert budget([0.1, 3.0, -1.0, 2.0, 0.0], [1] * 5, mean=2) == [True, True, False, True, False]  # rounded up
    assert budget([0.1, 3.0, -1.0, 2.0], [1, 1, 1, 1], mean=1) == [True] * 4


def test_ties_go_to_the_longest_at_work_then_to_the_lower_slot():
    assert budget([1.0] * 4, [1, 2, 3, 3], mean=4) == [False, False, True, False]


def test_what_the_rule_itself_stops_is_stopped_beside():
    assert budget([3.0, 2.0, -1.0, -2.0], [1] * 4, mean=4, threshold=0.5) == [True, True, False, False]


def test_a_budget_has_one_rule():
    with pytest.raises(ConfigError, match="2 rules"):
        GlobalBudget(rules=RULES)
    with pytest.raises(ConfigError, match="without rules"):
        AnyOf(rules=())
