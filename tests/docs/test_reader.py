"""The reader finds what is false: each of these pages says something that is not so."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from docs.pages import Block
from docs.reader import Reader
from docs.said import differs
from docs.shell import commands

from hrmlab.errors import HrmLabError


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.chdir(tmp_path)
    return Reader(tmp_path, {"RUN": "sudoku-4x4"})


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("sh", "hrm trian sudoku-4x4"),
        ("sh", "hrm train sudoku-4x4 --stepz 3"),
        ("sh", "hrm train sudoku-4x4 model.size.widht=8"),
        ("sh", "hrm train sudoku-5x5"),
        ("sh", "hrm demo --preset sudoku-5x5"),
        ("sh", "hrm bench sudoku-4x4 training.enginee=eager"),
        ("sh", "hrm ablate no-such-study"),
        ("sh", "hrm ablate act --engine slurm,partitions=gpu"),
        ("sh", "hrm eval runs/nothing"),
        ("sh", "make tea"),
        ("sh", "pip install 'hrm-lab[everything]'"),
        ("sh", "python3 tools/setup.py dev tea"),
        ("sh", "python benchmarks/halting/walk.py"),
        ("sh", "python benchmarks/halting/run.py --faster"),
        ("sh", "torchrun --nproc-per-node 2 -m hrmlab train sudoku-4x4 --stepz 3"),
        ("sh", "torchrun --nproc-per-nodes 2 -m hrmlab train sudoku-4x4"),
        ("sh", "brew install hrm"),
        ("sh", "false && hrm doctor"),
        ("console", "hrm doctor"),
        ("console", "$ hrm inspect sudoku-4x4\nsudoku-4x4: two segments\n..."),
        ("console", "$ hrm inspect sudoku-4x4\nsudoku-4x4: one segment"),
        ("console", "$ hrm serve RUN\nready"),
        ("python", "from hrmlab import apis"),
        ("python", "import hrmlab\nhrmlab.no_such_name"),
    ],
)
def test_what_is_false_is_found(reader: Reader, language: str, text: str) -> None:
    with pytest.raises((AssertionError, HrmLabError, ImportError, AttributeError, ValueError, SystemExit)):
        reader.take(Block("page.md", 1, language, text))


@pytest.mark.parametrize(
    ("shown", "said", "same"),
    [
        (["a", "b"], ["a", "b"], True),
        (["a"], ["a", "b"], False),
        (["a", "..."], ["a", "b"], True),
        (["...", "b"], ["a", "b"], True),
        (["...", "c"], ["a", "b"], False),
        (["a", "...", "a"], ["a"], False),
        (["b", "a"], ["a", "b"], False),
        (["in 3.1 s"], ["in 12 s"], True),
        (["3 steps"], ["4 steps"], False),
        (["  a   b "], ["a b", ""], True),
    ],
)
def test_transcripts_are_compared_line_by_line(shown: Sequence[str], said: Sequence[str], same: bool) -> None:
    assert (not differs(shown, said)) is same


def test_numbers_are_left_out_where_a_command_was_made_short() -> None:
    assert not differs(["724 steps, 99.24% right"], ["2 steps, 3.1% right"], numbers=True)
    assert differs(["724 steps"], ["2 segments"], numbers=True)


def test_a_script_is_taken_apart() -> None:
    text = "a b  # said\n# only said\n\nc \\\n  d && e 'f\ng'\ncat > x <<'END'\nhrm # kept\nEND\nh"
    assert [command.words for command in commands(text, console=False)] == [
        ("a", "b"), ("c", "d"), ("e", "f g"), ("cat",), ("h",)
    ]  # fmt: skip
    assert next(c.text for c in commands(text, console=False) if c.words == ("cat",)).endswith("hrm # kept\nEND")


def test_a_transcript_is_taken_apart() -> None:
    found = list(commands('$ a "b\n  c"\nsaid\n\n$ d', console=True))
    assert [(command.words, command.output) for command in found] == [(("a", "b   c"), ("said", "")), (("d",), ())]
