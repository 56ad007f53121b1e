"""Mathematics of attention patterns against cases worked out by hand."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.analysis.probes.attending import (
    entropy,
    grid_distance,
    jensen_shannon,
    least_entropy,
    longest_scores,
    related,
)
from hrmlab.attention import SDPA
from hrmlab.blocks import Place, Size
from hrmlab.spec import Relation, TaskSpec
from hrmlab.tasks.sudoku import Sudoku


def test_entropy_of_equal_weights_and_of_one_key():
    pattern = torch.tensor([[0.25, 0.25, 0.25, 0.25], [0.0, 1.0, 0.0, 0.0]])
    torch.testing.assert_close(entropy(pattern), torch.tensor([math.log(4), 0.0]))


def test_divergence_is_nothing_for_equal_and_one_for_disjoint_weights():
    p = torch.tensor([[1.0, 0.0], [0.3, 0.7], [1.0, 0.0]])
    q = torch.tensor([[0.0, 1.0], [0.3, 0.7], [0.5, 0.5]])
    by_hand = (-0.75 * math.log2(0.75) - 0.25 * math.log2(0.25)) - 0.5
    torch.testing.assert_close(jensen_shannon(p, q), torch.tensor([1.0, 0.0, by_hand]))


scores = st.lists(st.floats(-6, 6, width=32), min_size=2, max_size=9)


@given(scores)
def test_no_softmax_falls_below_the_bound_of_its_length(row: list[float]):
    u = torch.tensor(row, dtype=torch.float64)
    assert least_entropy(u.norm(), len(row)) <= entropy(u.softmax(0)) + 1e-9


@given(length=st.floats(0, 12), keys=st.integers(2, 50))
def test_one_score_that_stands_out_reaches_the_bound(length: float, keys: int):
    u = torch.full((keys,), -length / math.sqrt(keys * (keys - 1)), dtype=torch.float64)
    u[0] = length * math.sqrt((keys - 1) / keys)
    assert float(least_entropy(u.norm(), keys)) == pytest.approx(float(entropy(u.softmax(0))), abs=1e-9)


def test_scores_are_no_longer_than_the_weights_allow():
    torch.manual_seed(0)
    place = Place(Size(width=16, heads=2), TaskSpec(seq_len=5, vocab_size=4), 5, 0, False)
    attention, x = SDPA().build(place), torch.randn(3, 5, 16)
    q, k, _ = attention.qkv(x).unflatten(-1, (6, -1)).transpose(1, 2).chunk(3, dim=1)
    rows = (q @ k.mT / math.sqrt(8)).norm(dim=-1)
    assert (rows <= longest_scores(attention, x)[:, :, None] + 1e-5).all()


def test_relations_as_masks():
    masks = dict(related(Sudoku(box_rows=2, box_cols=2).spec()))
    assert masks["row"].sum(1).tolist() == [3] * 16 and masks["column"][0].nonzero().flatten().tolist() == [4, 8, 12]
    assert masks["box"][0].nonzero().flatten().tolist() == [1, 4, 5]
    near = Relation("next", neighbours=torch.tensor([[1, -1], [2, 0], [-1, 1]]).numpy())
    [(_, mask)] = related(TaskSpec(3, 2, relations=(near,)))
    assert mask.tolist() == [[False, True, False], [True, False, True], [False, True, False]]


def test_steps_on_a_board():
    far = grid_distance(TaskSpec(6, 2, shape=(2, 3)))
    assert far is not None and far[0].tolist() == [0, 1, 2, 1, 2, 3]
    assert grid_distance(TaskSpec(6, 2, shape=(6,))) is None
