"""The sparse table hands out copies that ask for gradient, and is never a parameter."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.embeddings import PuzzleConfig, PuzzleTable


def table(std: float = 1.0) -> PuzzleTable:
    torch.manual_seed(2)
    return PuzzleTable(7, PuzzleConfig(width=5, init_std=std))


@given(ids=st.lists(st.integers(0, 6), min_size=0, max_size=12))
def test_lookup_gives_the_rows_for_a_batch_of_any_size(ids: list[int]):
    rows = table()
    found = rows(torch.tensor(ids, dtype=torch.int64))
    assert found.shape == (len(ids), 5)
    assert torch.equal(found, rows.rows[ids])


def test_looked_up_rows_are_leaves_with_a_gradient_each_even_for_equal_ids():
    rows = table()
    found = rows(torch.tensor([3, 1, 3]))
    weights = torch.randn(3, 5)
    (found * weights).sum().backward()
    assert found.is_leaf and torch.equal(found.grad, weights)
    assert rows.rows.grad is None and not rows.rows.requires_grad


def test_without_gradients_recorded_lookup_asks_for_none():
    with torch.no_grad():
        assert not table()(torch.tensor([1])).requires_grad


def test_changing_what_was_looked_up_does_not_change_the_table():
    rows = table()
    before = rows.rows.clone()
    with torch.no_grad():
        rows(torch.tensor([1, 2])).fill_(9)
    assert torch.equal(rows.rows, before)


def test_the_table_is_saved_but_is_no_parameter():
    assert list(table().parameters()) == [] and list(table().state_dict()) == ["rows"]


@pytest.mark.parametrize("std", [0.0, 0.5])
def test_rows_start_with_the_deviation_asked_for(std: float):
    assert PuzzleTable(2000, PuzzleConfig(width=20, init_std=std)).rows.std().item() == pytest.approx(std, rel=0.03)
