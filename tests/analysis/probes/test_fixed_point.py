"""D-12: answers that stay, answers that are lost again, and failures on easy puzzles, all planted."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from planted import answers, linear

from hrmlab.analysis.probes.fixed_point import FixedPoint, stays, with_blanks
from hrmlab.analysis.probes.subject import Subject
from hrmlab.tasks.sudoku import Sudoku

STILL = torch.eye(64)
BLANK = 1


def test_staying_by_hand():
    right = torch.tensor([[False, True, True, False], [True, True, True, True], [False, False, True, True]])
    found = stays(right, right.float().argmax(1))
    assert [n for _, n in found] == [3, 3, 2, 1]
    assert [share for share, _ in found] == pytest.approx([1.0, 1.0, 0.5, 1.0])


@given(st.integers(0, 16))
def test_filled_in_cells_hold_the_solution(count):
    examples = PUZZLES.test
    filled = with_blanks(examples, count, BLANK, Subject.rng(SEEDED, 0))
    blanks = filled.inputs == BLANK
    known = (examples.inputs == BLANK).sum(1)
    assert (blanks.sum(1) == known.clip(max=count)).all()
    assert (filled.inputs[~blanks] == examples.labels[~blanks]).all()
    assert not (blanks & (examples.inputs != BLANK)).any()


PUZZLES = Sudoku(box_rows=2, box_cols=2).generate(4, 6, 0)
SEEDED = type("Seeded", (), {"seed": 0})()


def test_an_oracle_is_sound(subject):
    model = answers(linear(STILL), lambda batch, _states, _number: torch.ones(len(batch), dtype=torch.bool))
    found = FixedPoint().run(subject(model))
    assert found.verdict == "ok"
    assert found.scalars["lost"] == 0
    assert found.scalars["failures_1_blanks"] == 0
    assert {row["y"] for row in found.table} == {1.0}


def test_answers_that_are_lost_again_are_found(subject):
    def at_the_second(batch, _states, number):
        return torch.full((len(batch),), number == 1)

    found = FixedPoint(ladder=()).run(subject(answers(linear(STILL), at_the_second)))
    assert [finding.rule for finding in found.findings] == ["fixed_point.lost"]
    assert found.scalars["lost"] == 1
    assert [row["y"] for row in found.table if row["part"] == "stays"] == [1.0] + [0.0] * 6
    assert [row["y"] for row in found.table if row["part"] == "depth"] == [0.0, 1.0] + [0.0] * 6


def test_failures_with_one_blank_are_found(subject):
    def hard_ones(batch, _states, _number):
        return (batch.inputs == BLANK).sum(1) > 1

    found = FixedPoint(ladder=(1, 2)).run(subject(answers(linear(STILL), hard_ones)))
    assert [finding.rule for finding in found.findings] == ["fixed_point.easy"]
    assert found.scalars["failures_1_blanks"] == 1


def test_a_sound_model_is_silent(shipped):
    found = FixedPoint(puzzles=6, ladder=(1, 4)).run(shipped("sudoku-4x4", n=12, segments=4))
    assert found.verdict == "ok"


def test_mazes_have_no_ladder(shipped):
    found = FixedPoint(puzzles=4).run(shipped("maze-9x9", n=4, segments=4))
    assert not any(row["part"] == "ladder" for row in found.table)
    assert any("no ladder" in caveat for caveat in found.caveats)
