"""What holds for every optimiser of the sparse puzzle table."""

import copy
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from hrmlab.registry import Entry
from hrmlab.training.rows import ROW_OPTIMISERS, AdaGradRow, SignSGD, SparseAdam

every_kind = pytest.mark.parametrize("entry", list(ROW_OPTIMISERS), ids=lambda entry: entry.name)
ROWS, WIDTH = 12, 5


def table() -> Tensor:
    return torch.randn(ROWS, WIDTH, generator=torch.Generator().manual_seed(0))


def gradients(count: int, seed: int = 1) -> Tensor:
    return torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(seed))


@every_kind
@given(ids=st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=9))
def test_rows_that_were_looked_up_move_and_no_others(entry: Entry, ids: list[int]) -> None:
    rows, before = table(), table()
    entry.config().build(rows).step(torch.tensor(ids), gradients(len(ids)), 0.1, 0.1)
    moved = {int(row) for row in (rows != before).any(-1).nonzero()}
    assert moved == set(ids) and rows.isfinite().all()


@every_kind
def test_gradients_of_equal_ids_are_summed(entry: Entry) -> None:
    some, rows, same = gradients(3), table(), table()
    entry.config().build(rows).step(torch.tensor([4, 7, 4]), some, 0.1, 0.1)
    entry.config().build(same).step(torch.tensor([4, 7]), torch.stack([some[0] + some[2], some[1]]), 0.1, 0.1)
    torch.testing.assert_close(rows, same)


@every_kind
def test_a_zero_rate_changes_nothing(entry: Entry) -> None:
    rows = table()
    entry.config().build(rows).step(torch.tensor([1, 2]), gradients(2), 0.0, 0.1)
    assert rows.equal(table())


@every_kind
def test_it_brings_rows_to_where_a_loss_is_least(entry: Entry) -> None:
    rows, goal = table(), torch.full((WIDTH,), 0.5)
    optimiser = entry.config().build(rows)
    for step in range(400):
        ids = torch.tensor([3, 5, 3])
        optimiser.step(ids, rows[ids] - goal, 0.1 * (1 - step / 400), 0.0)
    assert (rows[[3, 5]] - goal).abs().max() < 0.05


@every_kind
def test_what_it_remembers_is_kept_in_its_state(entry: Entry) -> None:
    rows = table()
    optimiser = entry.config().build(rows)
    ids = torch.tensor([0, 3, 3])
    optimiser.step(ids, gradients(3), 0.1, 0.1)
    other = rows.clone()
    successor = entry.config().build(other)
    successor.restore(copy.deepcopy(optimiser.state()))
    for seed in (2, 3):
        for each in (optimiser, successor):
            each.step(ids, gradients(3, seed), 0.1, 0.1)
    assert rows.equal(other)


def test_they_are_what_their_papers_say() -> None:
    """One row, two steps, by hand."""
    first, second = gradients(1), gradients(1, 2)
    ids = torch.tensor([2])
    for config in (SignSGD(), AdaGradRow(), SparseAdam()):
        rows = torch.zeros(ROWS, WIDTH)
        optimiser = config.build(rows)
        for gradient in (first, second):
            optimiser.step(ids, gradient, 0.1, 0.0)
        g, h = first[0], second[0]
        match config:
            case SignSGD():
                wanted = -0.1 * (g.sign() + h.sign())
            case AdaGradRow():
                sums = g.square().mean(), g.square().mean() + h.square().mean()
                wanted = -0.1 * (g / sums[0].sqrt() + h / sums[1].sqrt())
            case SparseAdam(betas=(a, b)):
                m, v = (1 - a) * (a * g + h), (1 - b) * (b * g.square() + h.square())
                there = m / (1 - a**2) / ((v / (1 - b**2)).sqrt())
                wanted = -0.1 * (g.sign() + there)
        torch.testing.assert_close(rows[2], wanted, rtol=1e-4, atol=1e-6)


@every_kind
def test_the_numbers_it_remembers_are_counted(entry: Entry) -> None:
    rows = table()
    config = entry.config()
    optimiser = config.build(rows)
    optimiser.step(torch.tensor([0]), gradients(1), 0.1, 0.1)

    def numbers(state: object) -> int:
        if isinstance(state, Tensor):
            return state.numel() if state.numel() > 1 else 0
        return sum(map(numbers, state.values())) if isinstance(state, dict) else 0

    assert numbers(optimiser.state()) == config.moments(rows) and not math.isnan(float(rows.sum()))
