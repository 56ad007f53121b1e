"""Tables of puzzles: CSV and JSON Lines of one's own, demonstrations, and the public sets' files."""

from pathlib import Path
from typing import Any

import numpy as np
from fuzz.damage import altered, damaged, plain
from fuzz.harness import fuzzed, judge
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.tasks import Arc, Maze, Sudoku, Table
from hrmlab.tasks.demonstrations import read_demonstrations
from hrmlab.tasks.public_csv import read_csv

CSV = b'input,output,id,group\n12 3,32 1,a,g\n1 1,2 2,b,h\n"3 3",1 2,a,h\n'
LINES = (
    {"input": "12", "output": "21", "id": "a"},
    {"input": ["1", "2"], "output": [2, 1], "group": 3},
)
SUDOKU = b"input,output\n1234341221434321,1234341221434321\n12..341221434321,1234341221434321\n"
PUBLIC = b"source,question,answer,rating\nx,12..341221434321,1234341221434321,3\n"
FOUR = Sudoku(box_rows=2, box_cols=2)


def json_lines() -> st.SearchStrategy[bytes]:
    rows = st.lists(altered(*LINES), min_size=1, max_size=3)
    return rows.map(lambda rows: b"\n".join(map(plain, rows))) | damaged(b"\n".join(map(plain, LINES)))


def settings() -> st.SearchStrategy[dict[str, Any]]:
    choices: dict[str, tuple[Any, ...]] = {
        "separator": (None, " ", ",", "12"),
        "vocabulary": (None, "123", "1 2 3"),
        "length": (None, 4, 10**12),
        "shape": (None, (2, 2), (2**40, 2**40)),
    }
    return st.fixed_dictionaries({name: st.sampled_from(values) for name, values in choices.items()})


def loaded(file: Path, how: dict[str, Any]) -> None:
    """As `hrm data build table` does; what comes is sound."""
    found = Table(train_file=str(file), **how).load()
    for examples in (found.split.train, found.split.test):
        assert found.task.valid(examples.inputs, np.maximum(examples.labels, 0)).all()
        for row in examples.inputs:
            assert np.array_equal(found.task.parse(found.task.format(row)), row)


@fuzzed()
@given(damaged(CSV), settings())
def test_csv(home: Path, data: bytes, how: dict[str, Any]) -> None:
    (home / "mine.csv").write_bytes(data)
    judge(lambda: loaded(home / "mine.csv", how), home)


@fuzzed()
@given(json_lines(), settings())
def test_json_lines(home: Path, data: bytes, how: dict[str, Any]) -> None:
    (home / "mine.jsonl").write_bytes(data)
    judge(lambda: loaded(home / "mine.jsonl", how), home)


@fuzzed()
@given(damaged(SUDOKU) | json_lines(), st.sampled_from((FOUR, Maze(rows=2, columns=2), Arc())))
def test_demonstrations(home: Path, data: bytes, task: Sudoku | Maze | Arc) -> None:
    file = home / ("shown.csv" if data[:1] != b"{" else "shown.jsonl")
    file.write_bytes(data)
    judge(lambda: read_demonstrations(task, file), home)


@fuzzed()
@given(damaged(PUBLIC), st.sampled_from((FOUR, Maze(size=(4, 4)))))
def test_the_public_sets(home: Path, data: bytes, task: Sudoku | Maze) -> None:
    (home / "train.csv").write_bytes(data)
    rows = judge(lambda: read_csv(home / "train.csv", task), home)
    assert rows is None or rows.questions.shape == rows.answers.shape
