"""Solver and generator: the twins agree, puzzles are unique and minimal, ratings repeat."""

import itertools
import threading

import numpy as np
import pytest

from hrmlab.tasks.sudoku.board import Board
from hrmlab.tasks.sudoku.engine import Engine, Grids, Wishes, engine
from hrmlab.tasks.sudoku.native import NativeEngine, Unbuildable, build
from hrmlab.tasks.sudoku.pure import PureEngine

SHAPES = [(2, 2), (2, 3), (3, 2), (3, 3)]
PINNED = ("....382....3.54......9..1...4..2368..8..1......9....7.3.4......1.73...46..8..1...", 4)


def native(*shape: int) -> NativeEngine:
    try:
        return NativeEngine(Board(*shape))
    except Unbuildable:
        pytest.skip("needs a C++ compiler")


def brute_force(board: Board, grid: np.ndarray) -> list[tuple[int, ...]]:
    """All solutions, by nothing but trial in cell order."""
    solutions = []

    def place(cells: list[int], cell: int) -> None:
        if cell == board.cells:
            solutions.append(tuple(cells))
            return
        digits = [cells[cell]] if cells[cell] else range(1, board.side + 1)
        peers = (
            (board.rows == board.rows[cell])
            | (board.columns == board.columns[cell])
            | (board.boxes == board.boxes[cell])
        )
        for digit in digits:
            if all(cells[p] != digit for p in np.flatnonzero(peers) if p != cell):
                place([*cells[:cell], digit, *cells[cell + 1 :]], cell + 1)

    place(grid.tolist(), 0)
    return solutions


@pytest.mark.parametrize(
    ("shape", "wishes"),
    [*((shape, Wishes()) for shape in SHAPES), *((shape, Wishes(lowest=1, highest=40)) for shape in SHAPES[1:])],
)
def test_twins_make_the_same_puzzles(shape: tuple[int, int], wishes: Wishes) -> None:
    n = 4 if wishes.lowest else 12
    one, other = native(*shape).generate(n, 11, 3, wishes), PureEngine(Board(*shape)).generate(n, 11, 3, wishes)
    assert np.array_equal(one.puzzles, other.puzzles)
    assert np.array_equal(one.solutions, other.solutions)
    assert np.array_equal(one.ratings, other.ratings)


@pytest.mark.parametrize("shape", [(3, 4), (4, 4)])
def test_twins_agree_on_large_boards(shape: tuple[int, int]) -> None:
    cells = Board(*shape).cells
    wishes = Wishes(givens=cells * 3 // 5)
    one, other = native(*shape).generate(2, 5, 0, wishes), PureEngine(Board(*shape)).generate(2, 5, 0, wishes)
    assert np.array_equal(one.puzzles, other.puzzles)
    assert ((one.puzzles > 0).sum(axis=1) == wishes.givens).all()


def test_twins_solve_alike_with_none_one_and_many_solutions() -> None:
    compiled, plain = native(3, 3), PureEngine(Board(3, 3))
    puzzles = compiled.generate(20, 2).puzzles
    loose, doomed = puzzles.copy(), puzzles.copy()
    loose[:, ::2] = 0
    doomed[np.arange(20), (puzzles == 0).argmax(axis=1)] = 1
    grids = np.concatenate([puzzles, loose, doomed])
    for limit, budget in itertools.product((1, 2, 50), (5, 10_000)):
        one, other = compiled.solve(grids, limit, budget), plain.solve(grids, limit, budget)
        assert np.array_equal(one.counts, other.counts)
        assert np.array_equal(one.guesses, other.guesses)
        assert np.array_equal(one.solutions, other.solutions)
    assert set(np.unique(one.counts)) >= {0, 1, 50}


@pytest.mark.parametrize("made_by", [engine, PureEngine])
def test_solver_counts_as_brute_force_does(made_by: type[Engine]) -> None:
    board = Board(2, 2)
    rng = np.random.default_rng(0)
    grids = made_by(board).generate(30, 0).solutions
    grids[rng.random(grids.shape) < 0.7] = 0
    grids[::5, 0] = 1 + rng.integers(0, 4)
    solved = made_by(board).solve(grids, limit=10_000)
    for grid, count, first in zip(grids, solved.counts, solved.solutions, strict=True):
        every = brute_force(board, grid)
        assert count == len(every)
        assert not every or tuple(first.tolist()) in every


def assert_minimal(made_by: Engine, puzzles: Grids) -> None:
    for puzzle in puzzles:
        assert made_by.solve(puzzle[None]).counts[0] == 1
        clues = np.flatnonzero(puzzle)
        fewer = np.repeat(puzzle[None], len(clues), axis=0)
        fewer[np.arange(len(clues)), clues] = 0
        assert (made_by.solve(fewer).counts == 2).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_puzzles_are_unique_and_minimal(shape: tuple[int, int]) -> None:
    made_by = engine(Board(*shape))
    made = made_by.generate(10, 4)
    assert_minimal(made_by, made.puzzles)
    solved = made_by.solve(made.puzzles)
    assert np.array_equal(solved.solutions, made.solutions)
    assert np.array_equal(solved.guesses, made.ratings)


def test_hard_puzzles_are_minimal_within_their_band_and_of_different_grids() -> None:
    made_by = native(3, 3)
    made = made_by.generate(12, 9, 0, Wishes(lowest=32, highest=90))
    assert ((made.ratings >= 32) & (made.ratings <= 90)).all()
    assert np.array_equal(made_by.solve(made.puzzles).guesses, made.ratings)
    assert_minimal(made_by, made.puzzles)
    assert len(np.unique(made.solutions, axis=0)) == 12


def test_givens_are_met_or_reported() -> None:
    made_by = native(3, 3)
    assert ((made_by.generate(5, 0, 0, Wishes(givens=30)).puzzles > 0).sum(axis=1) == 30).all()
    assert made_by.generate(3, 0, 0, Wishes(givens=12)).ratings.tolist() == [-1, -1, -1]


def test_generation_may_be_cut_into_any_pieces() -> None:
    made_by = native(3, 3)
    whole = made_by.generate(10, 3)
    parts = [made_by.generate(4, 3), made_by.generate(6, 3, 4)]
    assert np.array_equal(whole.puzzles, np.concatenate([part.puzzles for part in parts]))
    assert not np.array_equal(whole.puzzles, made_by.generate(10, 4).puzzles)


def test_first_puzzle_of_seed_zero_never_changes() -> None:
    made = engine(Board(3, 3)).generate(1, 0)
    text = "".join(map(str, made.puzzles[0])).replace("0", ".")
    assert (text, made.ratings[0]) == PINNED


def test_shapes_live_side_by_side_in_one_process() -> None:
    boards = [Board(3, 3), Board(2, 2), Board(2, 3)]
    assert [engine(board).generate(3, 0).solutions.max() for board in boards] == [9, 4, 6]


def test_without_a_compiler_the_twin_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = engine(Board(2, 3)).generate(3, 0).puzzles
    monkeypatch.setenv("HRMLAB_NO_COMPILER", "1")
    engine.cache_clear()
    try:
        made_by = engine(Board(2, 3))
        assert made_by.name == "python"
        assert np.array_equal(made_by.generate(3, 0).puzzles, expected)
    finally:
        engine.cache_clear()


@pytest.mark.parametrize("fault", ["failing compiler", "read-only cache"])
def test_a_failing_build_is_survived(fault: str, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    if fault == "failing compiler":
        fake = tmp_path / "cxx"
        fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit 0\nexit 1\n')
        fake.chmod(0o755)
        monkeypatch.setenv("CXX", str(fake))
        monkeypatch.setenv("HRMLAB_CACHE", str(tmp_path / "cache"))
    else:
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("HRMLAB_CACHE", str(tmp_path / "file"))
    with pytest.raises(Unbuildable):
        build(Board(2, 2))
    engine.cache_clear()
    try:
        assert engine(Board(2, 2)).name == "python"
    finally:
        engine.cache_clear()
    assert not list((tmp_path / "cache").glob("*"))


def test_several_builds_at_once_leave_one_library(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    fake = tmp_path / "cxx"  # writes its output in two halves, as a slow compiler would
    fake.write_text('#!/bin/sh\n[ "$1" = --version ] && echo 1 && exit 0\nfor o; do :; done\nprintf a >"$o"\n'
                    'sleep 0.2\nprintf b >>"$o"\n')  # fmt: skip
    fake.chmod(0o755)
    monkeypatch.delenv("HRMLAB_NO_COMPILER", raising=False)
    monkeypatch.setenv("CXX", str(fake))
    monkeypatch.setenv("HRMLAB_CACHE", str(tmp_path / "cache"))
    seen = []
    threads = [threading.Thread(target=lambda: seen.append(build(Board(2, 2)).read_text())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["ab"] * 4
    assert len(list((tmp_path / "cache").iterdir())) == 1
