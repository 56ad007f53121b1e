"""Neighbour means against a dense matrix, forward and backward."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.blocks.neighbours import NeighbourMean
from hrmlab.spec import Relation


def dense(relations: list[Relation], cells: int) -> torch.Tensor:
    matrix = np.zeros((cells, cells))
    for relation in relations:
        for cell, near in enumerate(relation.neighbours):
            for other in near[near >= 0]:
                matrix[cell, other] += 1 / len(near)
    return torch.from_numpy(matrix)


@given(
    seed=st.integers(0, 1000), cells=st.integers(1, 7), directions=st.lists(st.integers(1, 4), min_size=1, max_size=3)
)
@settings(max_examples=40, deadline=None)
def test_the_mean_and_its_first_two_derivatives_are_those_of_a_matrix(seed: int, cells: int, directions: list[int]):
    rng = np.random.default_rng(seed)
    relations = [Relation(f"r{k}", neighbours=rng.integers(-1, cells, (cells, k))) for k in directions]
    mean, matrix = NeighbourMean(relations), dense(relations, cells)
    x = torch.randn(2, cells, 3, dtype=torch.float64, requires_grad=True)
    torch.testing.assert_close(mean(x), torch.einsum("ij,bjw->biw", matrix, x))
    torch.autograd.gradcheck(mean, (x,))
    torch.autograd.gradgradcheck(mean, (x,))


def test_nothing_is_saved() -> None:
    assert not NeighbourMean([Relation("r", neighbours=np.array([[0]]))]).state_dict()
