"""A puzzle followed through a model: as the solver sees it, without a known answer."""

import numpy as np
import pytest
import torch
from small_models import small_model

from hrmlab.api.course import AFTER, FEWEST, course_of, looks_of
from hrmlab.api.targets import find_run
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed
from hrmlab.inference.puzzles import Puzzle
from hrmlab.inference.stream import Solver
from hrmlab.tasks.sudoku import Sudoku

TASK = Sudoku(box_rows=2, box_cols=2)
PUZZLE = TASK.generate(0, 1, 0).test.inputs[0]


@pytest.fixture(scope="module")
def model() -> HRM:
    return small_model(TASK)


def test_it_is_what_the_solver_answers() -> None:
    run = find_run("sudoku-6x6")
    task, rule, model = run.config.task, run.config.evaluation, run.load(torch.device("cpu"))
    for puzzle in task.generate(0, 6, 4).test.inputs:
        (answer,) = Solver(model, rule, slots=1, check=task.valid).solve([Puzzle(puzzle)])
        course = course_of(model, task, puzzle, rule)
        assert course["stop"] == answer.segments and answer.halted
        at = course["stop"] - 1
        assert course["answers"][at] == answer.tokens.tolist()
        assert course["solved"][at] is answer.valid
        assert course["halt"][at] == pytest.approx(answer.confidence, abs=1e-3)
        assert len(course["answers"]) == min(32, max(course["stop"] + AFTER, FEWEST)) == len(course["sure"])
        assert course["broken"][at] == np.flatnonzero(task.broken(puzzle, answer.tokens)).tolist()


def test_residuals_are_how_far_each_segment_moved(model: HRM) -> None:
    course = course_of(model, TASK, PUZZLE, Fixed(max_segments=3))
    inputs = torch.from_numpy(PUZZLE.astype("int64"))[None]
    batch = Batch(inputs, torch.full_like(inputs, -100), torch.zeros(1, dtype=torch.long))
    carry = model.empty_carry(batch)
    states = carry.refill(model.initial_states(), batch, carry.steps).states
    with torch.inference_mode():
        for segment in range(3):
            before, states = states, model(states, batch).states
            for level, state in states.items():
                wanted = (state - before[level]).norm() / state.norm()
                assert course["residuals"][level][segment] == pytest.approx(wanted.item(), rel=1e-3)


def test_a_deeper_look_is_taken_where_the_rule_has_not_stopped(model: HRM) -> None:
    assert len(course_of(model, TASK, PUZZLE, Fixed(max_segments=40))["answers"]) == 40
    assert len(course_of(model, TASK, PUZZLE, Fixed(max_segments=40), segments=5)["answers"]) == 5


@pytest.mark.parametrize("segments", [-1, 0, 257, 10**9])
def test_more_than_can_be_shown_is_refused(model: HRM, segments: int) -> None:
    with pytest.raises(ConfigError, match="wanted 1 to 256"):
        course_of(model, TASK, PUZZLE, Fixed(max_segments=3), segments=segments)
    with pytest.raises(ConfigError, match="wanted 1 to 256"):
        looks_of(model, PUZZLE, segments)


def test_numbers_that_are_none_are_nothing_in_json(model: HRM) -> None:
    broken = small_model(TASK)
    with torch.no_grad():
        for parameter in broken.parameters():
            parameter.fill_(float("nan"))
    course = course_of(broken, TASK, PUZZLE, Fixed(max_segments=2))
    assert course["residuals"]["high"] == [None, None] and course["halt"] == [None, None]


def test_where_cells_look(model: HRM) -> None:
    found = looks_of(model, PUZZLE, 3)
    assert found is not None and found["puzzles"] == [0] and found["segments"][-1] == 2
    assert course_of(model, TASK, PUZZLE, Fixed(max_segments=2))["looks"] is True
