"""The page's boards as data, on boards whose answer is known by hand."""

import base64
from typing import Any

import numpy as np
import pytest

from hrmlab.analysis.attention_maps import AttentionMaps
from hrmlab.analysis.film import Film
from hrmlab.reports.page import attention_data, board_data, puzzle_data, room_for
from hrmlab.tasks.arc import Arc
from hrmlab.tasks.base import Examples, Task
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.tasks.table import Table

SOLVED = "1234341221434321"


def test_a_sudoku_has_lines_between_its_boxes() -> None:
    board = board_data(Sudoku(box_rows=2, box_cols=2))
    assert board["shape"] == [4, 4]
    assert board["boxes"] == [0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3, 2, 2, 3, 3]
    assert [face["text"] for face in board["faces"]] == ["?", "", "1", "2", "3", "4"]


def test_other_tasks_have_their_own_faces() -> None:
    maze = board_data(Maze(rows=1, columns=2))
    assert (maze["shape"], maze["boxes"]) == ([3, 5], None)
    assert maze["faces"][1] == {"text": "", "paint": "ink", "key": "#", "single": False}
    assert board_data(Arc())["faces"][3]["paint"] == "#0074d9"
    words = board_data(Table(vocabulary="abc", length=70))
    assert (words["shape"], words["cells"]) == ([3, 32], 70)
    assert [face["text"] for face in words["faces"]] == ["", "a", "b", "c"]


@pytest.mark.parametrize(
    "task", [Sudoku(), Maze(), Arc(), Table(vocabulary="ab", length=3)], ids=lambda task: task.kind
)
def test_every_token_has_a_face(task: Task) -> None:
    assert len(task.faces()) == task.spec().vocab_size
    keys = [face.key for face in task.faces() if face.key]
    assert len(keys) == len(set(keys)) and all(len(key) == 1 for key in keys)
    blank = np.zeros(task.spec().seq_len, np.int32)
    assert task.broken(blank, blank).shape == blank.shape


def test_room_is_shared_by_cells_and_segments() -> None:
    assert room_for(16, 16) == 24
    assert room_for(900, 16) == 13
    assert room_for(900, 10_000) == 2


@pytest.fixture
def film() -> Film:
    """One puzzle over two segments: first the 2 in front of another 2, then all right."""
    task = Sudoku(box_rows=2, box_cols=2)
    right = task.parse(SOLVED)
    first = right.copy()
    first[0] = task.parse("2" + "." * 15)[0]
    return Film(
        answers=np.stack((first, right))[None],
        sure=np.full((1, 2, 16), [[0.5], [0.994]]),
        right=np.array([[False, True]]),
        values=np.array([[[0.0, 9.0], [1000.0, 9.0]]]),
        stops=np.array([2]),
        ways={"state": np.array([[[-1.0, 0.0], [1.0, 0.0]]])},
        shares={"state": np.array([1.0])},
        residuals={"state": np.array([[1.0, 0.5]])},
    )


def examples(puzzle: str) -> Examples:
    task = Sudoku(box_rows=2, box_cols=2)
    return Examples(task.parse(puzzle)[None], task.parse(SOLVED)[None], np.zeros(1, np.int32), np.array([7]))


def test_a_course_says_what_happened(film: Film) -> None:
    task = Sudoku(box_rows=2, box_cols=2)
    (puzzle,) = puzzle_data(task, examples("." + SOLVED[1:]), [41], film)
    assert (puzzle["number"], puzzle["rating"], puzzle["stop"]) == (41, 7, 2)
    assert (puzzle["right"], puzzle["halt"]) == ([0, 1], [0.5, 1.0])
    assert puzzle["broken"] == [[0, 1, 8], []]  # 2234/3412/2143/4321: the twos of the first row and column
    assert [row[0] for row in puzzle["sure"]] == [50, 99]
    assert puzzle["ways"] == {"state": [[-1, 0], [1, 0]]}


def test_a_head_that_gives_no_numbers_is_a_gap(film: Film) -> None:
    film.values[0, 0] = np.nan
    (puzzle,) = puzzle_data(Sudoku(box_rows=2, box_cols=2), examples("." + SOLVED[1:]), [0], film)
    assert puzzle["halt"] == [None, 1.0]


def test_attention_is_packed_in_order() -> None:
    where: Any = np.arange(8, dtype=np.uint16).reshape(1, 1, 2, 1, 2, 2) + 300
    maps = AttentionMaps(["low", "high"], ["0.attn"] * 2, 1, False, [3], 0, where, (where - 300).astype(np.uint8))
    packed = attention_data(maps, [5])
    assert np.frombuffer(base64.b64decode(packed["where"]), "<u2").tolist() == list(range(300, 308))
    assert list(base64.b64decode(packed["weight"])) == list(range(8))
    assert packed["maps"][1] == {"level": "high", "block": "0.attn"}
