"""What relational blocks on a symbol axis must commute with, and that their weights do not know the board's size."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM
from hrmlab.halting import Fixed
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]
Start = Callable[[HRM, Batch], Carry]
SIDE = 4
BOARD = torch.arange(SIDE * SIDE).view(SIDE, SIDE)
ROWS_WITHIN_BANDS = [[1, 0, 2, 3], [0, 1, 3, 2], [1, 0, 3, 2]]


def two_segments(model: HRM, batch: Batch, start: Start) -> tuple[Tensor, Tensor]:
    carry = start(model, batch)
    with torch.no_grad():
        for _ in range(2):
            step = segment(model, carry, Fixed())
            carry = step.carry
    return step.output.logits, step.output.values


def with_inputs(batch: Batch, inputs: Tensor) -> Batch:
    return Batch(inputs, batch.labels, batch.identifiers)


@settings(max_examples=8)
@given(order=st.permutations(range(SIDE)))
def test_relabelling_the_symbols_relabels_the_logits(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start, order: list[int]
):
    spec = make_spec()
    model, batch = make_model(spec, symbols=True), make_batch(spec, 2)
    renamed = torch.tensor([0, 1, *(2 + symbol for symbol in order)])  # token -> token; padding and blank stay
    logits, values = two_segments(model, batch, start)
    logits_renamed, values_renamed = two_segments(model, with_inputs(batch, renamed[batch.inputs]), start)
    torch.testing.assert_close(logits_renamed[..., renamed], logits, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(values_renamed, values, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("symbols", [True, False])
@pytest.mark.parametrize(
    "moved",
    [
        *(BOARD[rows].flatten() for rows in ROWS_WITHIN_BANDS),
        *(BOARD[:, columns].flatten() for columns in ROWS_WITHIN_BANDS),
        BOARD[[2, 3, 0, 1]].flatten(),
        BOARD.T.flatten(),
    ],
    ids=["row01", "row23", "rows", "column01", "column23", "columns", "bands", "transposed"],
)
def test_moving_the_board_by_its_own_symmetries_moves_the_logits(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start, moved: Tensor, symbols: bool
):
    spec = make_spec()
    parts = {} if symbols else {"block": make_model(spec, symbols=True).config.block}
    model, batch = make_model(spec, symbols=symbols, **parts), make_batch(spec, 2)
    logits, _ = two_segments(model, batch, start)
    logits_moved, _ = two_segments(model, with_inputs(batch, batch.inputs[:, moved]), start)
    torch.testing.assert_close(logits_moved, logits[:, moved], atol=1e-5, rtol=1e-5)


def test_moving_rows_out_of_their_bands_is_no_symmetry(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start
):
    spec = make_spec()
    model, batch = make_model(spec, symbols=True), make_batch(spec, 2)
    moved = BOARD[[0, 2, 1, 3]].flatten()
    logits, _ = two_segments(model, batch, start)
    logits_moved, _ = two_segments(model, with_inputs(batch, batch.inputs[:, moved]), start)
    assert not torch.allclose(logits_moved, logits[:, moved], atol=1e-3)


@pytest.mark.parametrize("boxes", [(2, 3), (3, 2), (3, 3)])
def test_weights_load_into_a_board_of_another_size(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start, boxes: tuple[int, int]
):
    small, large = make_spec(), make_spec(*boxes)
    trained, fresh = make_model(small, symbols=True, seed=1), make_model(large, symbols=True, seed=2)
    before, _ = two_segments(fresh, make_batch(large, 1), start)
    fresh.load_state_dict(trained.state_dict(), strict=True)
    after, _ = two_segments(fresh, make_batch(large, 1), start)
    assert after.shape == (1, large.seq_len, large.vocab_size)
    assert after[..., 2:].isfinite().all() and not torch.allclose(after, before)


def test_weights_carried_to_another_size_and_back_are_the_same_model(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start
):
    small, large = make_spec(), make_spec(2, 3)
    first, second, third = (make_model(s, symbols=True, seed=i) for i, s in enumerate((small, large, small)))
    second.load_state_dict(first.state_dict())
    third.load_state_dict(second.state_dict())
    batch = make_batch(small, 2)
    assert torch.equal(two_segments(first, batch, start)[0], two_segments(third, batch, start)[0])
