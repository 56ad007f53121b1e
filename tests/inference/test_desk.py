"""Puzzles that come, are watched, are forgotten and grow late while others are worked on."""

import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.halting import AnswerStability, Fixed
from hrmlab.inference.desk import Desk, Late, Request
from hrmlab.inference.puzzles import Answer, Frame, Puzzle
from hrmlab.inference.stream import Solver
from hrmlab.presets import preset
from hrmlab.tasks.base import Tokens

CONFIG = preset("hrm-sudoku-4x4").make()
RULE = AnswerStability(max_segments=5, patience=1)


@pytest.fixture(scope="module")
def model() -> HRM:
    torch.manual_seed(0)
    return HRM(CONFIG.model, CONFIG.task.spec()).eval()


@pytest.fixture(scope="module")
def boards() -> Tokens:
    return CONFIG.task.generate(1, 24, seed=0).test.inputs


@pytest.fixture(scope="module")
def wanted(model: HRM, boards: Tokens) -> list[Answer]:
    return list(Solver(model, RULE, slots=4).solve(Puzzle(board) for board in boards))


def answers(desk: Desk) -> Iterator[tuple[int, Answer]]:
    while desk.asked:
        yield from (said for said in desk.advance() if isinstance(said, tuple))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=24), st.sets(st.integers(0, 23)), st.booleans())
def test_answers_do_not_depend_on_who_comes_and_goes_meanwhile(
    model: HRM, boards: Tokens, wanted: list[Answer], coming: list[int], forgotten: set[int], fixed: bool
) -> None:
    engine = Eager(model)
    engine.fixed_shapes = fixed  # type: ignore[misc]
    desk = Desk(Solver(model, RULE, slots=3, engine=engine))
    numbers, found = iter(range(len(boards))), {}
    for some in coming:
        for number in [number for _, number in zip(range(some), numbers, strict=False)]:
            desk.ask(Request(number, Puzzle(boards[number])))
        gone = [number for number in desk.asked if number in forgotten]
        for number in gone[:1]:
            desk.forget(number)
        found.update(said for said in desk.advance() if isinstance(said, tuple))
        assert desk.working <= 3 and not set(gone[:1]) & set(found)
    found.update(answers(desk))
    assert set(found) | forgotten >= set(range(min(sum(coming), len(boards))))
    for number, answer in found.items():
        assert np.array_equal(answer.tokens, wanted[number].tokens)
        assert answer.segments == wanted[number].segments


def test_a_puzzle_that_is_late_is_given_up_waiting_or_at_work(model: HRM, boards: Tokens) -> None:
    desk = Desk(Solver(model, Fixed(max_segments=100), slots=1))
    now = time.monotonic()
    desk.ask(Request(0, Puzzle(boards[0]), until=now + 0.2))
    desk.ask(Request(1, Puzzle(boards[1]), until=now - 1))
    desk.ask(Request(2, Puzzle(boards[2])))
    assert desk.advance() == [Late(1)]
    assert desk.working == 1
    time.sleep(0.25)
    assert desk.advance() == [Late(0)]
    assert [number for number, _ in answers(desk)] == [2]


def test_only_those_that_are_watched_are_shown(model: HRM, boards: Tokens) -> None:
    desk = Desk(Solver(model, Fixed(max_segments=3), slots=2))
    desk.ask(Request(7, Puzzle(boards[0]), watched=True))
    desk.ask(Request(8, Puzzle(boards[1])))
    said = [*desk.advance(), *desk.advance(), *desk.advance()]
    frames = [frame for frame in said if isinstance(frame, Frame)]
    assert [(frame.puzzle, frame.segment, frame.done) for frame in frames] == [
        (7, 1, False),
        (7, 2, False),
        (7, 3, True),
    ]
    assert [item[0] for item in said if isinstance(item, tuple)] == [7, 8]
    assert desk.advance() == [] and desk.slots.watch is None
