"""Puzzle vectors from demonstrations: which are kept, which are shown, and what they do to the vector."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from hrmlab.core.model import HRM
from hrmlab.embeddings.puzzle import PuzzleConfig
from hrmlab.embeddings.shown import ShownTable, puzzle_table
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.spec import TaskSpec
from hrmlab.training.overrides import override_run

SPEC = TaskSpec(seq_len=4, vocab_size=9, num_identifiers=4)
QUESTION = torch.tensor([[7, 7, 7, 7]])


def table(examples: int = 2) -> ShownTable:
    torch.manual_seed(0)
    made = puzzle_table(SPEC, PuzzleConfig(width=6, examples=examples))
    assert isinstance(made, ShownTable)
    return made


def known(examples: int = 2) -> ShownTable:
    """Puzzle 3 with three demonstrations, puzzle 1 with one, puzzle 2 with none."""
    made = table(examples)
    inputs = np.array([[1, 2, 0, 0], [2, 2, 3, 0], [4, 4, 4, 4], [5, 5, 5, 5]])
    labels = np.array([[3, 4, -100, -100], [4, 4, 5, -100], [6, 6, 6, 6], [7, 7, 7, 7]])
    made.remember(np.array([3, 1, 3, 3]), inputs, labels)
    return made


def vector(made: ShownTable, identifier: int, asked: Tensor = QUESTION) -> Tensor:
    return made.vectors(made(torch.tensor([identifier])), asked)[0]


def test_the_first_demonstrations_of_each_puzzle_are_kept() -> None:
    rows = known().rows
    assert rows[3].tolist() == [[[1, 2, 0, 0], [3, 4, 0, 0]], [[4, 4, 4, 4], [6, 6, 6, 6]]]
    assert rows[1].tolist() == [[[2, 2, 3, 0], [4, 4, 5, 0]], [[0] * 4] * 2]
    assert not rows[[0, 2]].any()


def test_puzzles_with_other_demonstrations_have_other_vectors_and_those_without_one_in_common() -> None:
    made = known()
    assert not torch.allclose(vector(made, 1), vector(made, 3))
    assert vector(made, 0).equal(vector(made, 2)) and vector(made, 0).isfinite().all()


def test_the_order_of_demonstrations_and_cells_means_nothing() -> None:
    made, turned = known(), known()
    turned.rows[3] = turned.rows[3].flip(0)
    torch.testing.assert_close(vector(made, 3), vector(turned, 3))
    turned.rows[3] = turned.rows[3].flip(-1)
    torch.testing.assert_close(vector(made, 3), vector(turned, 3))


def test_a_question_is_never_shown_its_own_answer() -> None:
    made = known()
    asked = torch.tensor([[4, 4, 4, 4]])
    before = vector(made, 3, asked)
    made.rows[3, 1, 1] = 8  # another answer to it
    assert vector(made, 3, asked).equal(before) and not vector(made, 3).equal(before)


def test_the_reader_learns_through_a_model_and_the_table_does_not(
    make_model: Callable[..., HRM], make_spec: Callable[..., TaskSpec], make_batch: Callable[..., object]
) -> None:
    spec = make_spec()
    model = make_model(spec, puzzle=PuzzleConfig(width=32, examples=2))
    batch = make_batch(spec, 3)
    assert isinstance(model.puzzles, ShownTable)
    model.puzzles.remember(np.arange(5), *(np.random.default_rng(0).integers(2, 6, (2, 5, spec.seq_len))))
    output = model(model.empty_carry(batch).states, batch)
    output.logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.puzzles.parameters())
    assert output.puzzle_rows is not None and not output.puzzle_rows.requires_grad


@pytest.mark.parametrize("change", ["examples=0", "examples=2 buckets=4", "examples=2 mapped=true"])
def test_what_does_not_go_together_is_refused(change: str) -> None:
    changes = [f"model.puzzle.{each}" for each in change.split()]
    with pytest.raises(ConfigError, match="wanted 1 or more, and neither buckets nor mapped"):
        override_run(preset("hrm-sudoku-extreme").make(), changes)


def test_turned_puzzles_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"set data\.augment=false"):
        override_run(preset("hrm-sudoku-extreme").make(), ["model.puzzle.examples=2", "data.augment=true"])
