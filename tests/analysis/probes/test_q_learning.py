"""D-36: errors by hand; heads that stop at once, never, or say nothing are found."""

import copy

import pytest
import torch

from hrmlab.analysis.probes.q_learning import HaltingValues
from hrmlab.halting import AnswerStability, Correctness, Fixed, QLearning


def changed(one, change, **fields):
    """A shipped subject whose head is another."""
    one.model = copy.deepcopy(one.model)
    with torch.no_grad():
        change(one.model.halting_head.linear)
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def test_errors_by_hand(subject):
    one = subject(segments=3)
    one.model.halting_head.linear.bias.data = torch.tensor([1.0, -1.0])  # its weights begin at zero
    found = HaltingValues().run(one)
    low, high = torch.tensor([-1.0, 1.0]).sigmoid().tolist()
    assert [row["td"] for row in found.table] == [pytest.approx(low - high, abs=1e-5)] * 2 + [None]
    assert found.scalars["td_size"] == pytest.approx(high - low, abs=1e-5) and found.scalars["spread"] < 1e-5
    assert found.scalars["rising"] == 1 and found.scalars["segments_training"] == 1


def test_a_head_that_says_stop_at_once_is_found(shipped):
    def sure(head):
        head.bias[0] += 12.0

    found = HaltingValues().run(changed(shipped("sudoku-6x6", 16, 6), sure))
    assert [f.rule for f in found.findings] == ["q_learning.stops_at_once"] * 2
    assert "after segment" in found.findings[0].seen and found.findings[0].patch["model.halting_head.bias"] == -5.0


def test_a_fresh_head_that_promises_everything_is_found_though_nothing_is_right(subject):
    one = subject(segments=3)
    one.model.halting_head.linear.bias.data[0] = 5.0
    assert [f.rule for f in HaltingValues().run(one).findings] == ["q_learning.stops_at_once"] * 2


def test_a_head_that_never_stops_is_found(shipped):
    def shy(head):
        head.bias[0] -= 30.0

    one = changed(shipped("sudoku-4x4", 8, 6), shy, evaluation=Fixed(max_segments=6))
    found = HaltingValues().run(one)
    assert [(f.rule, f.severity) for f in found.findings] == [("q_learning.never_stops", "warn")]
    assert "the rule of training" in found.findings[0].seen


def test_a_rule_that_does_not_read_the_head_is_not_blamed_for_it(shipped):
    def sure(head):
        head.bias[0] += 12.0

    rule = AnswerStability(max_segments=6)
    found = HaltingValues().run(changed(shipped("sudoku-6x6", 16, 6), sure, evaluation=rule))
    assert ["training" in f.seen for f in found.findings] == [True]


def test_a_head_that_says_the_same_of_every_answer_is_found(shipped):
    def dumb(head):
        head.weight.zero_()

    one = changed(shipped("sudoku-6x6", 16, 4), dumb, halting=Correctness(weight=0.0, max_segments=4))
    found = HaltingValues().run(one)
    lessons = [f for f in found.findings if f.rule == "q_learning.head_learns_nothing"]
    assert [f.patch for f in lessons] == [{"halting.weight": 0.5}]


@pytest.mark.parametrize("name", ["sudoku-6x6", "hrm-sudoku-6x6"])
def test_shipped_models_learned_to_halt(shipped, name):
    assert HaltingValues().run(shipped(name, 16, 6)).verdict == "ok"


def test_only_where_q_values_are_taught(subject):
    assert HaltingValues().run(subject(halting=Fixed())).verdict == "n/a"
    found = HaltingValues().run(subject(segments=2, halting=QLearning(max_segments=2, continue_weight=0.0)))
    assert found.scalars["td_size"] is None and found.table[0]["continue"] is None
