"""SignSGD touches the rows of the ids given and no others."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.embeddings import PuzzleConfig, PuzzleTable
from hrmlab.kernels import sign_sgd
from hrmlab.kernels.sparse_sign import CHUNK, COLS, op, plain


def table() -> PuzzleTable:
    torch.manual_seed(1)
    return PuzzleTable(6, PuzzleConfig(width=4, init_std=1.0))


@given(ids=st.lists(st.integers(0, 5), max_size=10), seed=st.integers(0, 99), lr=st.floats(1e-3, 1), wd=st.floats(0, 1))
def test_each_touched_row_decays_and_steps_by_the_sign_of_its_summed_gradient(
    ids: list[int], seed: int, lr: float, wd: float
):
    rows = table()
    before = rows.rows.clone()
    gradients = torch.randn(len(ids), 4, generator=torch.Generator().manual_seed(seed))
    sign_sgd(rows.rows, torch.tensor(ids, dtype=torch.int64), gradients, lr, wd)
    for row in range(6):
        mine = [i for i, identifier in enumerate(ids) if identifier == row]
        if not mine:
            assert torch.equal(rows.rows[row], before[row])
            continue
        direction = np.sign(gradients[mine].double().sum(0).numpy())
        wanted = before[row].double().numpy() * (1 - lr * wd) - lr * direction
        np.testing.assert_allclose(rows.rows[row].numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_equal_ids_are_summed_before_the_sign_is_taken():
    rows = table()
    before = rows.rows.clone()
    gradients = torch.tensor([[3.0, 1.0, 0.0, -2.0], [-1.0, -1.0, 0.0, -2.0], [-1.0, 0.0, 0.0, 5.0]])
    sign_sgd(rows.rows, torch.tensor([2, 2, 2]), gradients, lr=0.5, weight_decay=0.0)
    torch.testing.assert_close(rows.rows[2], before[2] - 0.5 * torch.tensor([1.0, 0.0, 0.0, 1.0]))


def test_gradients_of_a_lookup_train_the_table():
    rows = table()
    ids, goal = torch.tensor([1, 4, 1]), torch.tensor([2.0, -2.0, 1.0, 0.5])
    first = (rows(ids) - goal).square().sum().item()
    for _ in range(100):
        found = rows(ids)
        (found - goal).square().sum().backward()
        sign_sgd(rows.rows, ids, found.grad, lr=0.05, weight_decay=0.0)
    assert (rows(ids) - goal).square().sum().item() < 0.05 < first


@pytest.mark.parametrize("ids_type", [torch.int64, torch.int32])
@pytest.mark.parametrize(("batch", "width"), [(0, 4), (1, 1), (CHUNK + 9, 3), (7, COLS + 5)])
def test_the_operator_equals_its_twin_to_the_last_bit(batch: int, width: int, ids_type: torch.dtype):
    """Both add equal ids in their order, so that sums that cancel have the same sign."""
    generator = torch.Generator().manual_seed(batch + width)
    wanted = torch.randn(9, width, generator=generator)
    came = wanted.clone()
    ids = torch.randint(0, 9, (batch,), generator=generator).to(ids_type)
    gradients = torch.randn(batch, width, generator=generator).round(decimals=1)
    op(came, ids, gradients, 0.1, 0.5)
    plain(wanted, ids, gradients, 0.1, 0.5)
    assert torch.equal(came, wanted)


def test_a_table_that_is_not_contiguous_is_left_to_torch():
    table = torch.ones(4, 6).mT
    sign_sgd(table, torch.tensor([5]), torch.ones(1, 4), lr=0.5, weight_decay=0.0)
    assert table[5].eq(0.5).all() and table[:5].eq(1).all()
