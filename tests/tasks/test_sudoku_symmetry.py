"""Canonical form, augmentation, and splits that share nothing up to symmetry."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.engine import engine
from hrmlab.tasks.sudoku.pure import PureEngine

SHAPES = [(2, 2), (2, 3), (3, 2), (3, 3)]


def task(shape: tuple[int, int]) -> Sudoku:
    return Sudoku(box_rows=shape[0], box_cols=shape[1])


@given(shape=st.sampled_from([*SHAPES, (3, 4)]), seed=st.integers(0, 2**32), share=st.floats(0.2, 0.7))
@settings(max_examples=40, deadline=None)
def test_canonical_form_is_the_same_for_every_symmetric_form(shape, seed, share) -> None:
    made_by, rng = engine(Board(*shape)), np.random.default_rng(seed)
    grid = made_by.generate(1, seed).solutions
    grid[rng.random(grid.shape) > share] = 0
    tokens = np.repeat(grid.astype(np.int32) + 1, 8, axis=0)
    morphs, _ = task(shape).augment(tokens, tokens, rng)
    forms = made_by.canonical((morphs - 1).astype(np.int8))
    assert (forms == made_by.canonical(grid)).all()
    assert np.array_equal(made_by.canonical(forms[:1]), forms[:1])


@pytest.mark.parametrize("shape", SHAPES)
def test_canonical_form_is_itself_a_form_of_the_puzzle(shape) -> None:
    made_by = engine(Board(*shape))
    puzzles = made_by.generate(10, 1).puzzles
    forms = made_by.canonical(puzzles)
    assert np.array_equal((forms > 0).sum(axis=1), (puzzles > 0).sum(axis=1))
    assert (made_by.solve(forms).counts == 1).all()
    assert np.array_equal(PureEngine(Board(*shape)).canonical(puzzles), forms)


def test_different_classes_have_different_forms() -> None:
    made_by = engine(Board(3, 3))
    puzzles = made_by.generate(300, 1).puzzles
    assert len(np.unique(made_by.canonical(puzzles), axis=0)) == 300
    moved = puzzles[:40].copy()
    for row in moved:  # one given more: never the same class
        row[np.flatnonzero(row == 0)[0]] = 1
    assert not (made_by.canonical(moved) == made_by.canonical(puzzles[:40])).all(axis=1).any()


def test_transposition_counts_only_where_boxes_are_square() -> None:
    for shape, same in (((3, 3), True), ((2, 3), False)):
        board = Board(*shape)
        grid = engine(board).generate(5, 0).puzzles
        turned = grid.reshape(-1, board.side, board.side).transpose(0, 2, 1).reshape(grid.shape).copy()
        forms = engine(board).canonical
        assert (forms(grid) == forms(turned)).all(axis=1).all() == same


def test_the_two_classes_of_full_4x4_grids_are_told_apart() -> None:
    solutions = engine(Board(2, 2)).generate(400, 0).solutions
    assert len(np.unique(solutions, axis=0)) > 200
    assert len(np.unique(engine(Board(2, 2)).canonical(solutions), axis=0)) == 2


@pytest.mark.parametrize("shape", SHAPES)
def test_augmentation_keeps_puzzles_valid_and_unique(shape) -> None:
    sudoku, rng = task(shape), np.random.default_rng(0)
    examples = sudoku.generate(30, 0, 0).train
    inputs, labels = sudoku.augment(examples.inputs, examples.labels, rng)
    assert inputs.dtype == labels.dtype == np.int32
    assert sudoku.valid(inputs, labels).all()
    assert all(sudoku.check(puzzle) is None for puzzle in inputs)
    assert (inputs != examples.inputs).any(axis=1).sum() >= 28
    assert np.array_equal(np.sort((inputs == 1).sum(axis=1)), np.sort((examples.inputs == 1).sum(axis=1)))


def test_relabelling_leaves_cells_blanks_and_unscored_labels_in_place() -> None:
    sudoku = Sudoku()
    examples = sudoku.generate(5, 0, 0).train
    unscored = np.where(examples.inputs > 1, -100, examples.labels).astype(np.int32)
    inputs, labels = sudoku.relabel(examples.inputs, unscored, np.random.default_rng(0))
    assert np.array_equal(inputs == 1, examples.inputs == 1)
    assert np.array_equal(labels == -100, unscored == -100)
    assert sudoku.valid(inputs, np.where(labels == -100, inputs, labels)).all()


def test_every_orientation_and_digit_order_is_reached() -> None:
    sudoku = Sudoku(box_rows=2, box_cols=2)
    one = sudoku.generate(1, 0, 0).train
    many = np.repeat(one.labels, 20_000, axis=0)
    morphs, _ = sudoku.augment(many, many, np.random.default_rng(0))
    assert len(np.unique(morphs, axis=0)) in (96, 192)  # the sizes of the two classes of full 4x4 grids


@pytest.mark.parametrize("shape", [(2, 3), (3, 3)])
def test_split_is_disjoint_up_to_symmetry(shape) -> None:
    sudoku, made_by = task(shape), engine(Board(*shape))
    split = sudoku.generate(150, 60, 7)
    both = np.concatenate([split.train.inputs, split.test.inputs])
    assert len(np.unique(made_by.canonical((both - 1).astype(np.int8)), axis=0)) == 210
    assert "disjoint up to relabelling" in split.protocol
    assert ("transposition" in split.protocol) == (shape == (3, 3))


def test_small_boards_are_split_by_puzzle_and_say_so() -> None:
    split = Sudoku(box_rows=2, box_cols=2).generate(200, 50, 0)
    both = np.concatenate([split.train.inputs, split.test.inputs])
    assert len(np.unique(both, axis=0)) == 250
    assert "may share symmetric forms" in split.protocol


def test_test_set_depends_on_seed_and_size_alone() -> None:
    few, many = Sudoku().generate(3, 20, 5), Sudoku().generate(150, 20, 5)
    assert np.array_equal(few.test.inputs, many.test.inputs)
    assert np.array_equal(few.train.inputs, many.train.inputs[:3])
    assert np.array_equal(Sudoku().generate(0, 5, 5).test.inputs, few.test.inputs[:5])
    assert not np.array_equal(Sudoku().generate(0, 20, 6).test.inputs, few.test.inputs)


def test_progress_counts_every_puzzle() -> None:
    counts: list[int] = []
    Sudoku().generate(70, 10, 0, progress=counts.append)
    assert sum(counts) == 80


def test_exhausted_supply_and_impossible_wishes_are_told() -> None:
    with pytest.raises(DataError, match=r"only \d+ distinct 4x4 .* where 60000 are wanted; ask for fewer"):
        Sudoku(box_rows=2, box_cols=2, givens=16).generate(60_000, 0, 0)
    with pytest.raises(DataError, match="no 9x9 Sudoku with 10 givens was found"):
        Sudoku(givens=10).generate(1, 0, 0)
    with pytest.raises(DataError, match="train=-1"):
        Sudoku().generate(-1, 0, 0)
