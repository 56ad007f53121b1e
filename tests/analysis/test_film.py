"""Courses of puzzles: what is recorded is what the model does; planes whose answer is known."""

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
from small_models import small_model

from hrmlab.analysis import film as module
from hrmlab.analysis.film import principal_plane, record_film, telling
from hrmlab.analysis.tracing import answering, batch_of
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import Correctness, Fixed
from hrmlab.tasks.sudoku import Sudoku

TASK = Sudoku(box_rows=2, box_cols=2)


@pytest.fixture(scope="module")
def model() -> HRM:
    return small_model(TASK)


@pytest.fixture(scope="module")
def batch(model: HRM) -> Batch:
    return batch_of(model, TASK.generate(0, 5, 0).test)


def test_it_shows_what_the_model_answers(model: HRM, batch: Batch) -> None:
    film, plain = record_film(model, batch, Fixed(max_segments=3), 3), answering(model, batch, 3)
    assert np.array_equal(film.answers, plain.tokens.numpy())
    assert np.array_equal(film.right, plain.right.numpy())
    assert np.allclose(film.values, plain.values.numpy())
    assert film.answers.shape == film.sure.shape == (5, 3, 16)
    assert (film.sure > 1 / 6 - 1e-6).all() and (film.sure <= 1).all()
    assert {level: way.shape for level, way in film.ways.items()} == {"high": (5, 3, 2), "low": (5, 3, 2)}
    assert {level: moved.shape for level, moved in film.residuals.items()} == {"high": (5, 3), "low": (5, 3)}


def test_three_points_lie_in_a_plane_and_keep_their_distances(model: HRM, batch: Batch) -> None:
    film = record_film(model, batch, Fixed(max_segments=3), 3)
    assert np.allclose(film.shares["low"], 1)
    first, last = answering(model, batch, 1).states["low"], answering(model, batch, 3).states["low"]
    wanted = (last - first).flatten(1).norm(dim=1).numpy()
    way = film.ways["low"]
    assert np.allclose(np.linalg.norm(way[:, 2] - way[:, 0], axis=1), wanted, rtol=1e-3)


@pytest.mark.parametrize(("bias", "stop"), [(5.0, 2), (-5.0, 0)])
def test_stops_are_the_rules_own(model: HRM, batch: Batch, bias: float, stop: int) -> None:
    sure = copy.deepcopy(model)
    with torch.no_grad():
        sure.halting_head.linear.bias.fill_(bias)
    film = record_film(sure, batch, Correctness(max_segments=3, min_segments=2), 3)
    assert film.stops.tolist() == [stop] * 5


def test_little_room_changes_nothing(model: HRM, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = record_film(model, batch, Fixed(max_segments=2), 2)
    monkeypatch.setattr(module, "ROOM", 1)
    parts = record_film(model, batch, Fixed(max_segments=2), 2)
    assert np.array_equal(whole.answers, parts.answers)
    assert np.allclose(whole.ways["high"], parts.ways["high"], atol=1e-4)


def test_a_circle_in_many_dimensions_is_a_circle_in_its_plane() -> None:
    angles = torch.linspace(0, 2 * math.pi, 13)[:-1]
    axes = torch.linalg.qr(torch.randn(50, 2, generator=torch.Generator().manual_seed(0)))[0]
    circle = torch.stack((angles.cos(), angles.sin()), 1) @ axes.T
    plane, share = principal_plane(circle + 3)
    assert float(share) == pytest.approx(1, abs=1e-6)
    assert torch.allclose(plane.norm(dim=1), torch.ones(12).double(), atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_line_has_nothing_on_its_second_axis(count: int) -> None:
    plane, _ = principal_plane(torch.arange(count)[:, None] * torch.ones(1, 9))
    assert float(plane[:, 1].abs().max()) < 1e-6
    assert float(plane[:, 0].max() - plane[:, 0].min()) == pytest.approx(3 * (count - 1), abs=1e-6)


def test_what_is_not_finite_is_no_reason_to_fail() -> None:
    plane, share = principal_plane(torch.full((4, 8), torch.nan))
    assert plane.tolist() == [[0, 0]] * 4 and float(share) == 0


@pytest.mark.parametrize(
    ("right", "most", "wanted"),
    [
        ([1, 1, 1, 1], 2, [0, 3]),
        ([0, 0, 0, 0], 2, [0, 3]),
        ([1, 0, 1, 1], 4, [0, 1, 2, 3]),
        ([1, 0, 0, 0, 1, 1], 4, [0, 1, 3, 5]),
        ([0, 1, 1, 1, 1, 1], 3, [0, 1, 5]),
    ],
)
def test_wrong_ones_are_among_those_shown(right: list[int], most: int, wanted: list[int]) -> None:
    table: Any = np.array(right, bool)[:, None]
    assert telling(table, np.arange(len(right)), most) == wanted


def test_easy_and_hard_ones_are_among_those_shown() -> None:
    rating = np.array([5, 0, 9, 1, 2])
    assert telling(np.ones((5, 1), bool), rating, 2) == [1, 2]
