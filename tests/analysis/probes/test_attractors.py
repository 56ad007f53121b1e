"""D-17: basins and votes by hand, and a renaming that a model with a symbol axis does not notice."""

import torch
from planted import NUMBERS, answers, linear

from hrmlab.analysis.probes.attractors import Attractors, Ends, _run, basins, chosen, permutation
from hrmlab.analysis.tracing.unroll import beginning


def test_basins_by_hand():
    assert basins(torch.tensor([[1, 2], [1, 3], [1, 2], [1, 2]])) == [0.75, 0.25]


def test_ways_of_choosing_by_hand():
    ends = Ends(
        answers=torch.tensor([[[7], [1]], [[5], [2]], [[5], [3]]]),
        right=torch.tensor([[True, False], [False, False], [False, True]]),
        halt=torch.tensor([[9.0, 1.0], [0.0, 0.0], [0.0, 2.0]]),
        unrest=torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]]),
    )
    assert chosen(ends, 1) == {"any": 0.5, "majority": 0.5, "least change": 0.5, "halting value": 0.5}
    assert chosen(ends, 3) == {"any": 1.0, "majority": 0.0, "least change": 0.0, "halting value": 1.0}


def test_one_answer_has_one_basin(subject):
    model = answers(linear(torch.eye(NUMBERS)), lambda batch, _s, _n: torch.zeros(len(batch), dtype=torch.bool))
    found = Attractors(restarts=1).run(subject(model))
    assert found.scalars["distinct"] == 1
    assert found.scalars["entropy"] == 0
    assert found.scalars["right_any"] == 0


def test_renamed_symbols_come_back(shipped):
    one = shipped("sudoku-4x4", n=12)
    batch, model = one.some(6), one.model
    table = permutation(model.spec.symbols, model.spec.vocab_size, torch.Generator().manual_seed(3))
    assert table[:2].tolist() == [0, 1]
    assert sorted(table.tolist()) == list(range(6))
    start = beginning(model, batch)
    plain, renamed = (_run(model, batch, start, 4, renaming) for renaming in (None, table))
    assert torch.equal(plain[0], renamed[0])
    torch.testing.assert_close(plain[2], renamed[2], rtol=1e-3, atol=1e-3)


def test_a_trained_model_agrees_with_itself(shipped):
    found = Attractors(puzzles=6, restarts=3).run(shipped("sudoku-4x4", n=12))
    assert found.verdict == "ok"
    assert found.scalars["basin"] > 0.8
    assert found.scalars["right_any"] >= found.scalars["right_majority"] > 0.5
