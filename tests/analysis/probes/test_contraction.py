"""D-14: gains that are planted."""

import pytest
import torch
from planted import NUMBERS, linear, planted

from hrmlab.analysis.probes.contraction import Contraction, rates


def test_a_contraction_shrinks_every_disturbance_alike(subject):
    found = Contraction(puzzles=4).run(subject(linear(0.5 * torch.eye(NUMBERS), cycles=2), segments=1))
    assert len(found.table) == 10
    assert {name for name in found.scalars if name.startswith("random")} == {
        "random_0.001", "random_0.01", "random_0.1", "random_0.3", "random_1"
    }  # fmt: skip
    assert [row["kappa"] for row in found.table if row["direction"] == "random"] == pytest.approx([0.25] * 5, rel=1e-3)


def test_small_errors_grow_where_large_ones_shrink(subject):
    one = subject(planted(lambda z: 3 * torch.tanh(10 * z)), segments=4)
    kappa = {row["size"]: row["kappa"] for row in Contraction(sizes=(1e-3, 3.0)).run(one).table}
    assert kappa[3.0] < 1
    assert kappa[1e-3] < 0.1  # at rest the tangent is flat


def test_rates_by_hand():
    rate, spread = rates(torch.tensor([[8.0, 4.0, 2.0], [1.0, 4.0, 4.0]]))
    assert rate.tolist() == pytest.approx([0.5, 2.0])
    assert spread.tolist() == pytest.approx([0.0, 1.5])


def test_one_puzzle_has_nobody_to_swap_with(subject, puzzles):
    found = Contraction().run(subject(examples=puzzles.test.part(slice(1)), segments=1))
    assert {row["direction"] for row in found.table} == {"random"}
    assert found.scalars["rate"] == 1.0
