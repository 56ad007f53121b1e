"""Demonstrations as people have them in files."""

import json
from pathlib import Path

import pytest

from hrmlab.errors import DataError
from hrmlab.tasks import Arc, Sudoku, Table
from hrmlab.tasks.base import IGNORE
from hrmlab.tasks.demonstrations import read_demonstrations

TABLE = Table(vocabulary="abc", length=4)


def test_rows_of_a_table(tmp_path: Path) -> None:
    file = tmp_path / "shown.csv"
    file.write_text("input,output\nabc,cb\nca,aacb\n")
    shown, asked = read_demonstrations(TABLE, file)
    assert asked is None
    assert shown.inputs.tolist() == [[1, 2, 3, 0], [3, 1, 0, 0]]
    assert shown.labels.tolist() == [[3, 2, IGNORE, IGNORE], [1, 1, 3, 2]]
    assert shown.identifiers.tolist() == [0, 0]


def test_boards_of_another_task_are_written_as_they_are_typed(tmp_path: Path) -> None:
    file = tmp_path / "shown.jsonl"
    puzzle, answer = "1...3...2...4...", "1234341221434321"
    file.write_text(json.dumps({"input": puzzle, "output": answer}) + "\n")
    task = Sudoku(box_rows=2, box_cols=2)
    shown, _ = read_demonstrations(task, file)
    assert (task.format(shown.inputs[0]), task.format(shown.labels[0])) == (puzzle, answer)


def test_an_arc_file_has_questions_too(tmp_path: Path) -> None:
    file = tmp_path / "rule.json"
    pair = {"input": [[1, 2]], "output": [[2, 1]]}
    file.write_text(json.dumps({"train": [pair, pair], "test": [pair, {"input": [[3]]}]}))
    shown, asked = read_demonstrations(Arc(), file)
    assert asked is not None and (len(shown), len(asked)) == (2, 1)
    assert shown.inputs[0, :3].tolist() == [3, 4, 1] and shown.labels[0, :3].tolist() == [4, 3, 1]
    assert (shown.labels[0] == IGNORE).sum() == 900 - 5
    file.write_text(json.dumps({"train": [pair], "test": [{"input": [[3]]}]}))
    shown, asked = read_demonstrations(Arc(), file)
    assert len(shown) == 1 and asked is None


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.csv", "input,output\nabd,a\n", "line 2, column input: unknown symbol 'd'"),
        ("x.csv", "question,answer\na,b\n", "missing input, output"),
        ("x.txt", "a", "wanted .csv or .jsonl"),
        ("x.json", "{}", "task 'table' has no form for"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read_demonstrations(TABLE, tmp_path / name)


def test_a_file_that_is_no_puzzle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("[1]")
    with pytest.raises(DataError, match="is no ARC puzzle"):
        read_demonstrations(Arc(), tmp_path / "x.json")
