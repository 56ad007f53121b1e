"""D-33: changes that change nothing, models that get over them, and a model that reads no input."""

import pytest
import torch
from torch import nn

from hrmlab.analysis.probes.interventions import Interventions
from hrmlab.embeddings.puzzle import PuzzleConfig


class Same(nn.Module):
    def forward(self, x, context):
        return x


def rows_of(found, target):
    return {row["how"]: row for row in found.table if row["target"] == target}


@pytest.fixture(scope="module")
def solved(shipped):
    return Interventions(puzzles=6, segments=4, cells=1).run(shipped("sudoku-6x6", 6, 4))


def test_a_trained_model_gets_over_a_lost_state(solved):
    state = rows_of(solved, "state")
    assert set(state) == {"zero", "mean", "swap", "resample", "noise", "freeze"}
    assert all(row["end"] < row["now"] for row in state.values()) and state["noise"]["end"] < 0.01
    assert solved.verdict == "ok" and solved.scalars["corrupt_loss"] > 10 * solved.scalars["clean_loss"]


def test_another_puzzles_input_is_worse_than_another_puzzles_state(solved):
    assert rows_of(solved, "input")["swap"]["now"] > rows_of(solved, "state")["swap"]["now"]


def test_an_early_state_sets_back(solved):
    times = rows_of(solved, "all levels")
    assert times["from segment 0"]["now"] > 0 > times["from segment 4"]["now"]


def test_a_block_that_does_nothing_is_not_missed(subject):
    one = subject()
    one.model.networks["low"].blocks[0] = Same()
    found = Interventions(puzzles=4, segments=2, heads=1).run(one)
    assert rows_of(found, "low.0")["skip"]["loss"] == pytest.approx(found.scalars["clean_loss"], rel=1e-6)
    assert rows_of(found, "low.1")["skip"]["loss"] != pytest.approx(found.scalars["clean_loss"], rel=1e-6)
    assert rows_of(found, "high.0.attn head 0") or rows_of(found, "low.1.attn head 0")


def test_a_model_that_reads_no_input_is_found(subject):
    one = subject()
    one.model.embedding.register_forward_hook(lambda _m, _a, out: torch.zeros_like(out))
    found = Interventions(puzzles=4, segments=2).run(one)
    assert [finding.rule for finding in found.findings] == ["interventions.input_unread"]
    assert rows_of(found, "input")["swap"]["now"] is None and "no effect can be named" in found.caveats[-1]


def test_one_puzzle_has_no_other(subject, puzzles):
    assert Interventions().run(subject(examples=puzzles.test.part(slice(1)))).verdict == "n/a"


def test_puzzle_slots_are_emptied_where_there_are_some(subject):
    one = subject(puzzle=PuzzleConfig(width=16))
    with torch.no_grad():
        one.model.puzzles.rows.zero_()
    found = Interventions(puzzles=3, segments=2, heads=0, cells=1).run(one)
    assert rows_of(found, "puzzle slots")["zero"]["loss"] == pytest.approx(found.scalars["clean_loss"], rel=1e-6)
