"""D-18: a planted plane, and broken rules counted by hand."""

import math
from types import SimpleNamespace

import pytest
import torch
from planted import NUMBERS, block_matrix, linear

from hrmlab.analysis.probes.trajectory import Trajectory, broken, exclusive
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.sudoku import Sudoku

GRID = [1, 2, 3, 4, 3, 4, 1, 2, 2, 1, 4, 3, 4, 3, 2, 1]
SPEC = Sudoku(box_rows=2, box_cols=2).spec()


@pytest.mark.parametrize(("cell", "digit", "conflicts"), [(0, 1, 0), (0, 2, 3), (0, 3, 3), (15, 2, 3)])
def test_conflicts_by_hand(cell, digit, conflicts):
    grid = torch.tensor([GRID]) + 1
    grid[0, cell] = digit + 1
    assert broken(SPEC, SimpleNamespace(labels=grid), grid).tolist() == [conflicts]


def test_only_groups_of_all_symbols_are_rules():
    assert [len(groups) for groups in exclusive(SPEC)] == [4, 4, 4]
    assert [len(groups) for groups in exclusive(Sudoku(box_rows=2, box_cols=3).spec())] == [6, 6, 6]
    assert exclusive(Maze(rows=5, columns=5).spec()) == []


def test_without_such_groups_wrong_cells_count():
    labels = torch.tensor([[1, 2, -100]])
    batch = SimpleNamespace(labels=labels)
    assert broken(Maze(rows=5, columns=5).spec(), batch, torch.tensor([[1, 3, 9]])).tolist() == [1]


def test_a_motion_in_a_plane_lies_in_it_wholly(subject):
    turn = torch.tensor([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]])
    found = Trajectory(puzzles=3, grid=5).run(subject(linear(block_matrix(turn, 1.0)), segments=6))
    assert found.scalars["in_plane"] == pytest.approx(1, abs=1e-5)
    assert found.scalars["in_own_plane"] == pytest.approx(1, abs=1e-5)
    assert len([row for row in found.table if row["part"] == "land"]) == 25
    centre = next(row for row in found.table if row["part"] == "way" and row["step"] == 6)
    assert (centre["x"], centre["y"]) == (0, 0)


def test_arrows_are_the_segments_own(subject):
    """A contraction to a point far outside: every arrow goes a known part of the way."""
    turn = 0.5 * torch.tensor([[math.cos(1), -math.sin(1)], [math.sin(1), math.cos(1)]])
    found = Trajectory(puzzles=2, grid=5).run(subject(linear(block_matrix(turn, 1.0)), segments=5))
    land = [row for row in found.table if row["part"] == "land"]
    # |(A - 1) v| is the same multiple of |v| for all v of the plane, v counted from the fixed point
    factor = float((turn - torch.eye(2))[:, 0].norm())
    a, b = land[0], land[-1]
    apart = math.hypot(a["x"] - b["x"], a["y"] - b["y"])
    assert math.hypot(a["dx"] - b["dx"], a["dy"] - b["dy"]) == pytest.approx(factor * apart, rel=1e-3)


def test_states_that_stay_have_no_plane(subject):
    assert Trajectory().run(subject(linear(torch.eye(NUMBERS)))).verdict == "n/a"
