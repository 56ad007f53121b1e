"""Grids as tokens: round trips, markers, what is read from a spoiled board, text and drawing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from hrmlab.config import decode as decoded
from hrmlab.config import encode
from hrmlab.errors import ConfigError, DataError
from hrmlab.tasks import Arc, Task
from hrmlab.tasks.arc.grids import CELLS, END, SIDE, closed, crop, cut, decode, place


@st.composite
def grids(draw: st.DrawFn, most: int = SIDE) -> np.ndarray:
    rows, columns = draw(st.integers(1, most)), draw(st.integers(1, most))
    return np.random.default_rng(draw(st.integers(0, 2**32))).integers(0, 10, (rows, columns)).astype(np.uint8)


def tokens(text: str) -> np.ndarray:
    """A board whose top-left corner is drawn: digits, `|` a marker, `.` padding."""
    board = np.zeros((SIDE, SIDE), np.int32)
    for row, line in enumerate(text.split("/")):
        board[row, : len(line)] = [{"|": 1, ".": 0}.get(c, 2 + int(c) if c.isdigit() else 0) for c in line]
    return board.reshape(-1)


@given(grids(), st.data())
def test_what_is_placed_is_read_back(grid: np.ndarray, data: st.DataObject) -> None:
    top, left = (data.draw(st.integers(0, SIDE - size)) for size in grid.shape)
    board = place(grid[None], top, left)[0]
    found = decode(board)
    assert found is not None and np.array_equal(found[0], grid) and found[1:] == (top, left)
    square = board.reshape(SIDE, SIDE)
    bottom, right = top + grid.shape[0], left + grid.shape[1]
    assert (square == END).sum() == (grid.shape[1] if bottom < SIDE else 0) + (grid.shape[0] if right < SIDE else 0)
    if bottom < SIDE:
        assert (square[bottom, left:right] == END).all()
    if right < SIDE:
        assert (square[top:bottom, right] == END).all()
    assert ((square >= 2).sum() == grid.size) and board.dtype == np.uint8


@given(grids(), st.integers(0, 2**32))
def test_the_corner_is_cut_whatever_lies_beyond_the_markers(grid: np.ndarray, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 12, (SIDE, SIDE)).astype(np.int32)
    board = place(grid[None])[0].reshape(SIDE, SIDE).astype(np.int32)
    rows, columns = grid.shape
    board[rows + 1 :, :], board[:, columns + 1 :] = noise[rows + 1 :, :], noise[:, columns + 1 :]
    board = board.reshape(1, -1)
    heights, widths = crop(board)
    # Noise beyond the markers cannot widen the rectangle: it is cut by the row and the column of markers.
    assert (heights[0], widths[0]) == grid.shape and closed(board).all()
    assert np.array_equal(cut(board[0], rows, columns), grid)


@given(grids(6))
def test_many_at_once_are_as_one_by_one(grid: np.ndarray) -> None:
    rows, columns = np.array([0, 3, SIDE - grid.shape[0]]), np.array([0, 5, SIDE - grid.shape[1]])
    together = place(np.repeat(grid[None], 3, axis=0), rows, columns)
    alone = [place(grid[None], top, left)[0] for top, left in zip(rows, columns, strict=True)]
    assert np.array_equal(together, alone)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("12|/34|/||", (2, 2)),
        ("123|/4/5", (1, 3)),  # three cells lying or standing: the flattest of the largest
        ("123|/45/6", (2, 2)),
        ("12/34/5", (2, 2)),
        ("1/2/3", (3, 1)),
        ("|12/34", (0, 0)),
        (".", (0, 0)),
        ("1", (1, 1)),
        ("1234|/1234/12", (2, 4)),
        ("1234|/12/12/12/12", (5, 2)),
    ],
)
def test_the_largest_corner_of_nothing_but_colours(text: str, size: tuple[int, int]) -> None:
    heights, widths = crop(tokens(text)[None])
    assert (heights[0], widths[0]) == size
    assert cut(tokens(text), *size).shape == size


def test_a_rectangle_is_closed_by_its_markers() -> None:
    boards = [tokens(text) for text in ("12|/34|/||", "12|/34|/|", "12|/34/||", "12/34", "|", "1|/|")]
    assert closed(np.array(boards)).tolist() == [True, False, False, False, False, True]
    assert closed(np.full((1, CELLS), 5)).all()
    assert closed(np.zeros((0, CELLS), np.int32)).shape == (0,)


@pytest.mark.parametrize("text", ["12|/34|/|", "12|/3.|/||", "12|/34|/|||", "12|/34|/||/5", ".", "12|/34|"])
def test_a_board_that_encodes_no_grid(text: str) -> None:
    assert decode(tokens(text)) is None
    assert "no grid" in str(Arc().check(tokens(text)))


@given(grids(8), st.integers(0, 22), st.integers(0, 22))
def test_text_is_read_back(grid: np.ndarray, top: int, left: int) -> None:
    task, board = Arc(), place(grid[None], top, left)[0].astype(np.int32)
    text = task.format(board)
    assert np.array_equal(task.parse(text), board) and task.parse(text).dtype == np.int32
    assert task.check(board) is None
    assert text.startswith("@") == bool(top or left)


def test_text_of_what_a_model_answers() -> None:
    task = Arc()
    assert task.format(tokens("12|/34|/||")) == "12/34"
    assert task.format(tokens("12|/34|/|")) == "12/34"
    assert task.format(tokens("|")) == "?"
    assert np.array_equal(task.parse("12/34"), tokens("12|/34|/||"))
    assert np.array_equal(task.parse("1 2\n3 4\n"), tokens("12|/34|/||"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "row 1 of the grid has 0 cells"),
        ("12/3", "row 2 of the grid has 1 cells, the first 2"),
        ("12/3a", "unknown character 'a' in row 2"),
        ("@3 12", "the grid's place '@3' came"),
        ("@" + "9" * 5000 + ",5 01/23", "the grid's place '@9{20}' came"),
        ("@²,5 01/23", "the grid's place '@²,5' came"),
        ("@29,0 12/34", "a grid of 2x2 at 29,0 leaves the board"),
        ("1" * 31, "a grid of 1x31 at 0,0 leaves the board"),
    ],
)
def test_text_errors(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Arc().parse(text)


def test_drawing() -> None:
    task = Arc()
    board = task.parse("@2,3 10/02")
    assert Text.from_markup(task.draw(board)).plain == " 1 ·\n · 2"
    answer = task.parse("12/34")
    changed = Text.from_markup(task.draw(board, answer, task.parse("12/30"))).plain
    assert changed == " 1 2\n 3›4"
    assert len(task.draw(board, tokens("|")).splitlines()) == SIDE
    assert Text.from_markup(task.draw(board, tokens("|"))).plain.startswith(" |")


def test_spec_and_configuration() -> None:
    spec = Arc(identifiers=7).spec()
    assert (spec.seq_len, spec.vocab_size, spec.num_identifiers, spec.shape) == (900, 12, 7, (30, 30))
    task = Arc(source="arcagi2", augmentations=3, puzzles=5)
    assert decoded(Task, encode(task)) == task  # type: ignore[type-abstract]
    with pytest.raises(DataError, match="hrm data build arc"):
        task.generate(1, 1, 0)


@pytest.mark.parametrize(
    ("fields", "message"),
    [({"augmentations": -1}, "augmentations=-1"), ({"puzzles": 0}, "puzzles=0"), ({"identifiers": 0}, "identifiers=0")],
)
def test_impossible_fields(fields: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Arc(**fields)  # type: ignore[arg-type]
