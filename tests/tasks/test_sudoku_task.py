"""The task: specification, reading and writing, checking, scoring, drawing, configuration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.text import Text

from hrmlab.config import decode, encode
from hrmlab.errors import ConfigError, DataError
from hrmlab.tasks.base import TASKS, Task
from hrmlab.tasks.sudoku import Sudoku

PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
SUDOKU = Sudoku()


def test_spec_of_each_size() -> None:
    for rows, cols in ((2, 2), (2, 3), (3, 3), (4, 4)):
        spec = Sudoku(box_rows=rows, box_cols=cols).spec()
        side = rows * cols
        assert (spec.seq_len, spec.vocab_size, spec.shape) == (side * side, side + 2, (side, side))
        assert spec.symbols is not None
        assert spec.symbols.tokens == tuple(range(2, side + 2)) and spec.symbols.blank == 1
        sizes = {}
        for relation in spec.relations:
            assert relation.groups is not None and relation.groups.dtype == np.int64
            counts = np.bincount(relation.groups)
            assert (counts == counts[0]).all()
            sizes[relation.name] = int(counts[0])
        assert sizes == {"row": side, "column": side, "box": side, "box_row": cols, "box_column": rows}
        assert [relation.tie for relation in spec.relations] == ["line", "line", "", "segment", "segment"]


def test_segments_are_where_boxes_meet_lines() -> None:
    groups = {relation.name: relation.groups for relation in Sudoku(box_rows=2, box_cols=3).spec().relations}
    for line, segment in (("row", "box_row"), ("column", "box_column")):
        same = lambda name: groups[name][:, None] == groups[name][None, :]  # noqa: E731
        assert np.array_equal(same(segment), same(line) & same("box"))


def test_tokens_are_digit_plus_one() -> None:
    assert SUDOKU.parse(PUZZLE)[:5].tolist() == [6, 4, 1, 1, 8]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3), st.integers(0, 15))
def test_parse_reads_what_format_writes(shape_seed: list[int], drop: int) -> None:
    sudoku = Sudoku(box_rows=(2, 2, 3, 4)[shape_seed[0]], box_cols=(2, 3, 3, 4)[shape_seed[0]])
    board = sudoku.board
    cells = np.arange(board.cells)
    row, column = cells // board.side, cells % board.side
    shift = row % board.box_rows * board.box_cols + row // board.box_rows
    tokens = ((column + shift) % board.side + 2).astype(np.int32)
    tokens[cells % (drop + 2) == 0] = 1
    assert np.array_equal(sudoku.parse(sudoku.format(tokens)), tokens)
    assert np.array_equal(sudoku.parse(sudoku.format(tokens).lower().replace(".", "0")), tokens)
    assert np.array_equal(sudoku.parse(Text.from_markup(sudoku.draw(tokens)).plain), tokens)


def test_pasted_grids_are_read() -> None:
    lines = [PUZZLE[i : i + 9] for i in range(0, 81, 9)]
    framed = "\n".join(f"| {line[:3]} | {line[3:6]} | {line[6:]} |" for line in lines)
    framed = f"+-----+-----+-----+\n{framed}\n+-----+-----+-----+\n"
    assert np.array_equal(SUDOKU.parse(framed), SUDOKU.parse(PUZZLE))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("123", r"has 81 cells, 3 came; type one symbol a cell"),
        ("." * 36, r"36 came; that fits 6x6: set box_rows=2 and box_cols=3"),
        ("." * 256, r"256 came; that fits 16x16: set box_rows=4 and box_cols=4"),
        ("." * 25, r"25 came; type one symbol"),
        ("." * 10 + "X" + "." * 70, r"'X' at row 2 column 2 is no symbol of a 9x9 Sudoku; type 1 to 9"),
        ("A" + "." * 80, r"'A' at row 1 column 1 is no symbol"),
        ("5" + "." * 7 + "5" + "." * 72, r"5 stands twice in row 1: at row 1 column 1 and row 1 column 9; change"),
        ("5" + "." * 71 + "5" + "." * 8, r"5 stands twice in column 1: at row 1 column 1 and row 9 column 1"),
        ("5" + "." * 9 + "5" + "." * 70, r"5 stands twice in box 1: at row 1 column 1 and row 2 column 2"),
    ],
)
def test_what_cannot_be_read_is_explained(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        SUDOKU.parse(text)


def test_what_cannot_be_written_is_explained() -> None:
    with pytest.raises(DataError, match="token 0 at row 1 column 1 cannot be written"):
        SUDOKU.format(np.zeros(81, np.int32))
    with pytest.raises(DataError, match=r"array of shape \(81,\), \(16,\) came"):
        SUDOKU.format(np.ones(16, np.int32))


def test_check_names_what_is_unfair() -> None:
    assert SUDOKU.check(SUDOKU.parse(PUZZLE)) is None
    assert SUDOKU.check(np.ones(81, np.int32)) == "several solutions"
    twice = SUDOKU.parse(PUZZLE)
    twice[2] = twice[0]
    assert SUDOKU.check(twice) == "no solution"
    quiet = SUDOKU.parse(PUZZLE)
    quiet[2] = 3  # breaks no rule yet, yet leaves no solution
    assert SUDOKU.check(quiet) == "no solution"
    with pytest.raises(DataError, match="shape"):
        SUDOKU.check(quiet[:80])


def test_valid_agrees_with_a_plain_check() -> None:
    sudoku, rng = Sudoku(box_rows=2, box_cols=3), np.random.default_rng(0)
    examples = sudoku.generate(60, 0, 0).train
    answers = examples.labels.copy()
    for i in range(10, 60):  # swap two cells, or write any token, padding and nonsense included
        a, b = rng.integers(0, 36, 2)
        answers[i, [a, b]] = answers[i, [b, a]]
        if i % 3 == 0:
            answers[i, a] = rng.integers(-100, 12)
    units = [cells for _, cells in sudoku.board.units]
    plain = [
        all(sorted(answer[cells]) == list(range(2, 8)) for cells in units)
        and all(clue in (1, token) for clue, token in zip(puzzle, answer, strict=True))
        for puzzle, answer in zip(examples.inputs, answers, strict=True)
    ]
    assert sudoku.valid(examples.inputs, answers).tolist() == plain
    assert plain[:10] == [True] * 10 and not all(plain)
    other = np.roll(examples.labels, 1, axis=0)
    assert not sudoku.valid(examples.inputs, other).any()
    with pytest.raises(DataError, match=r"wanted \(n, 36\)"):
        sudoku.valid(examples.inputs, answers[:, :-1])


def test_drawing_marks_givens_changes_and_broken_cells() -> None:
    puzzle, answer = SUDOKU.parse(PUZZLE), SUDOKU.parse(ANSWER)
    plain = Text.from_markup(SUDOKU.draw(puzzle)).plain.splitlines()
    assert len(plain) == 13 and len({len(line) for line in plain}) == 1
    assert plain[1] == "│ 5  3  · │ ·  7  · │ ·  ·  · │"
    before = answer.copy()
    before[2] = 1
    wrong = answer.copy()
    wrong[2] = wrong[3]
    markup = SUDOKU.draw(puzzle, wrong, before)
    assert Text.from_markup(markup).plain.splitlines()[1] == "│ 5  3 ›6!│ 6! 7  8 │ 9  1  2 │"
    assert "[bold] 5 [/]" in markup and "[red]›6![/]" in markup
    assert "!" not in SUDOKU.draw(puzzle, answer) and "›" not in SUDOKU.draw(puzzle, answer, answer)
    disobeyed = answer.copy()
    disobeyed[0] = 0
    assert "[bold red] ?![/]" in SUDOKU.draw(puzzle, disobeyed)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"box_rows": 1}, "boxes of 1x3 came"),
        ({"box_rows": 5, "box_cols": 5}, "at most 16x16"),
        ({"givens": 0}, "givens=0 came; wanted 1 to 81"),
        ({"rating_min": 5, "rating_max": 4}, "rating_min=5 rating_max=4 came"),
        ({"box_row": 3}, "did you mean 'box_rows'"),
    ],
)
def test_impossible_configurations_are_explained(keys: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        decode(Task, {"kind": "sudoku", **keys})


def test_configuration_survives_the_edge() -> None:
    sudoku = Sudoku(box_rows=2, rating_min=3)
    assert decode(Task, encode(sudoku)) == sudoku
    assert TASKS.get("sudoku").config is Sudoku


def test_broken_cells() -> None:
    task = Sudoku(box_rows=2, box_cols=2)
    puzzle = task.parse("1" + "." * 15)
    answer = task.parse("2" + "." * 15)
    answer[3] = answer[0]
    assert np.flatnonzero(task.broken(puzzle, answer)).tolist() == [0, 3]
    assert not task.broken(puzzle, puzzle).any()
