"""D-31: equal weights prefer nothing; a head that is not read costs nothing."""

import pytest
import torch

from hrmlab.analysis.probes.attention_structure import AttentionStructure
from hrmlab.embeddings import NoPositions
from hrmlab.embeddings.puzzle import PuzzleConfig


def test_equal_weights_prefer_nothing(subject):
    one = subject()
    with torch.no_grad():
        for network in one.model.networks.values():
            for block in network.blocks:
                block.attention.qkv.weight[: 2 * 16] = 0
    found = AttentionStructure(puzzles=5, segments=2, ablated=2).run(one)
    for row in found.table:
        lifts = [row[name] for name in ("given", "row", "column", "box")]
        assert lifts == pytest.approx([1, 1, 1, 1], abs=1e-5)
        assert row["distance"] == pytest.approx(2.5) and row["first_in"] == pytest.approx(1 / 16)
        assert row["drift"] == (pytest.approx(0, abs=1e-6) if row["segment"] else None)


def test_only_heads_that_are_read_cost_something(subject):
    one = subject()
    with torch.no_grad():
        one.model.networks["high"].blocks[0].attention.out.weight[:, :8] = 0  # the first of two heads of eight
    found = AttentionStructure(puzzles=4, segments=2).run(one)
    cost = {(row["place"], row["head"]): row["ablation"] for row in found.table}
    assert cost["high.0.attn", 0] == 0 and cost["high.0.attn", 1] != 0


def test_puzzle_slots_are_no_cells(subject):
    one = subject(puzzle=PuzzleConfig(width=16), positions=NoPositions())
    found = AttentionStructure(puzzles=2, segments=1, ablated=1).run(one)
    assert all(0 < row["row"] < 3 and row["distance"] < 6 for row in found.table)


def test_a_model_without_attention(shipped):
    assert AttentionStructure().run(shipped("sudoku-4x4", 2, 2)).verdict == "n/a"
