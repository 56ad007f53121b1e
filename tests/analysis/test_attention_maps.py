"""Attention weights in little room: the same as those of a trace, and what is given up first."""

import numpy as np
import pytest
import torch
from small_models import small_model

from hrmlab.analysis.attention_maps import BYTES, record_attention
from hrmlab.analysis.tracing import batch_of, trace
from hrmlab.blocks import MLPMixer
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.tasks.sudoku import Sudoku

TASK = Sudoku(box_rows=2, box_cols=2)
CELLS, PUZZLES, MAPS, HEADS = 16, 2, 4, 2
EACH = PUZZLES * MAPS * HEADS * CELLS * CELLS * BYTES
"""Bytes of one segment: two levels of two blocks."""


@pytest.fixture(scope="module")
def model() -> HRM:
    return small_model(TASK)


@pytest.fixture(scope="module")
def batch(model: HRM) -> Batch:
    return batch_of(model, TASK.generate(0, PUZZLES, 0).test)


def test_weights_are_those_of_the_last_update(model: HRM, batch: Batch) -> None:
    maps = record_attention(model, batch, 2, 10**9)
    assert maps is not None
    assert maps.where.shape == maps.weight.shape == (PUZZLES, 2, MAPS, HEADS, CELLS, CELLS)
    assert (maps.levels, maps.blocks) == (["low"] * 2 + ["high"] * 2, ["0.attn", "1.attn"] * 2)
    dense = np.zeros(maps.where.shape)
    np.put_along_axis(dense, maps.where.astype(int), maps.weight / 255, -1)
    last_row = {"low": 4, "high": 5}
    for at, (level, block) in enumerate(zip(maps.levels, maps.blocks, strict=True)):
        found = trace(model, batch, f"seg1/row{last_row[level]}/{level}.{block}.pattern", 2, reduce=None)
        (pattern,) = found.values()
        assert np.abs(dense[:, 1, at] - pattern.numpy()).max() <= 0.5 / 255 + 1e-6


def test_segments_give_way_first_and_then_heads(model: HRM, batch: Batch) -> None:
    rooms = {room: record_attention(model, batch, 4, room) for room in (4 * EACH, 2 * EACH, EACH, EACH - 1, EACH // 2)}
    found = {room: (maps.segments, maps.heads, maps.averaged) for room, maps in rooms.items() if maps is not None}
    assert found == {
        4 * EACH: ([0, 1, 2, 3], 2, False),
        2 * EACH: ([0, 3], 2, False),
        EACH: ([3], 2, False),
        EACH - 1: ([3], 1, True),
        EACH // 2: ([3], 1, True),
    }
    assert record_attention(model, batch, 4, EACH // 2 - 1) is None


def test_slots_of_the_puzzle_vector_are_counted_before_the_cells(batch: Batch) -> None:
    model = small_model(TASK, slots=True)
    maps = record_attention(model, batch, 1, 10**9)
    assert maps is not None
    assert maps.slots == 1
    assert maps.where.shape[-2:] == (CELLS, CELLS + 1)


def test_a_model_without_attention_has_none(batch: Batch) -> None:
    assert record_attention(small_model(TASK, block=MLPMixer()), batch, 1, 10**9) is None


def test_the_model_answers_as_before(model: HRM, batch: Batch) -> None:
    states = model.empty_carry(batch).states
    with torch.no_grad():
        before = model(states, batch).logits
        record_attention(model, batch, 1, 10**9)
        assert torch.equal(model(states, batch).logits, before)
