"""A person's own data: what is read, what is refused and how it is said, and tasks that need no files any more."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.text import Text

from hrmlab.config import decode, encode
from hrmlab.errors import ConfigError, DataError
from hrmlab.tasks import dataset
from hrmlab.tasks.base import IGNORE, Task
from hrmlab.tasks.table import Table

CSV = "input,output\nab,ba\nabc,cba\nc,c\nbb,bb\n"


def file(folder: Path, content: str | bytes, name: str = "train.csv") -> str:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def test_resolved_from_the_data(tmp_path: Path) -> None:
    loaded = Table(train_file=file(tmp_path, CSV), held_out=0.25).load(seed=0)
    task, split = loaded.task, loaded.split
    assert (task.vocabulary, task.length, task.identifiers) == ("abc", 3, 1)
    assert len(split.train) == 3 and len(split.test) == 1 and "held out by seed 0" in split.protocol
    spec = task.spec()
    assert (spec.seq_len, spec.vocab_size, spec.num_identifiers, spec.shape) == (3, 4, 1, (3,))
    row = next(i for i, r in enumerate(split.train.inputs) if r.tolist() == [2, 2, 0])
    assert split.train.labels[row].tolist() == [2, 2, IGNORE]
    assert split.train.rating[row] == 2


def test_stored_task_needs_no_files(tmp_path: Path) -> None:
    source = file(tmp_path, "input,output,id\nx y,y,one\ny x,x,two\nx x,x,\n")
    loaded = Table(train_file=source, separator=" ", held_out=0.3).load()
    path = tmp_path / "set"
    dataset.write(path, loaded.task, loaded.split, 0, groups=loaded.groups, identifiers=loaded.identifiers)
    Path(source).unlink()
    assert dataset.problems(path) == []
    task = dataset.task_of(path)
    assert dataset.names(path) == list(loaded.identifiers)
    assert task == loaded.task and json.loads((path / "identifiers.json").read_text()) == ["<blank>", "one", "two"]
    assert task.parse("y x").tolist() == [2, 1] and task.format(np.array([2, 1], np.int32)) == "y x"
    assert np.array_equal(dataset.read(path, "train").labels, loaded.split.train.labels)
    assert decode(Task, encode(task)) == task  # type: ignore[type-abstract]


def test_identifiers_and_groups(tmp_path: Path) -> None:
    rows = "a,b,one,g1\nb,a,two,g1\nc,c,,g2\nd,d,one,g1\ne,e,,\nf,f,three,\n"
    test = file(tmp_path, "input,output,id\nz,z,four\ny,y,one\n", "test.csv")
    loaded = Table(train_file=file(tmp_path, "input,output,id,group\n" + rows), test_file=test).load()
    assert loaded.identifiers == ("<blank>", "one", "two", "three", "four") and loaded.task.identifiers == 5
    assert loaded.split.train.identifiers.tolist() == [1, 1, 2, 0, 0, 3]
    assert loaded.groups["train"].tolist() == [0, 0, 0, 1, 2, 3]
    assert loaded.split.test.identifiers.tolist() == [1, 4] or loaded.split.test.identifiers.tolist() == [4, 1]
    assert "test set from test.csv" in loaded.split.protocol


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=12, max_size=30), st.integers(0, 50))
def test_no_group_is_in_both_sets(tmp_path_factory: pytest.TempPathFactory, groups: list[int], seed: int) -> None:
    if len(set(groups)) < 2:
        return
    lines = [f"{row:04d},{group}{group},{group}" for row, group in enumerate(groups)]
    source = file(tmp_path_factory.mktemp("g"), "input,output,group\n" + "\n".join(lines))
    table = Table(train_file=source, held_out=0.3)
    split = table.load(seed).split
    train, test = ({int(row[0]) for row in part.labels} for part in (split.train, split.test))
    assert train and test and not train & test
    assert len(split.train) + len(split.test) == len(groups)
    assert np.array_equal(table.generate(0, 0, seed).test.inputs, split.test.inputs)


def test_equal_inputs_stay_together(tmp_path: Path) -> None:
    lines = [f"{row % 9},1" for row in range(36)]
    split = Table(train_file=file(tmp_path, "input,output\n" + "\n".join(lines)), held_out=0.5).load().split
    assert not {int(r[0]) for r in split.train.inputs} & {int(r[0]) for r in split.test.inputs}


def test_generate_limits(tmp_path: Path) -> None:
    table = Table(train_file=file(tmp_path, CSV))
    assert len(table.generate(2, 1, 0).train) == 2
    with pytest.raises(DataError, match="4 train examples wanted, the files have 3"):
        table.generate(4, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + CSV,
        CSV.replace("\n", "\r\n"),
        "output, input \nba,ab\ncba,abc\n\nc,c\n" + '"bb","bb"\n',
    ],
    ids=["byte order mark", "CRLF", "other order, blank line, quotes"],
)
def test_csv_as_programs_write_it(tmp_path: Path, content: str) -> None:
    split = Table(train_file=file(tmp_path, content)).load().split
    wanted = Table(train_file=file(tmp_path, CSV, "plain.csv")).load().split
    assert np.array_equal(split.train.inputs, wanted.train.inputs)
    assert np.array_equal(split.test.labels, wanted.test.labels)


def test_json_lines(tmp_path: Path) -> None:
    lines = [{"input": [1, 10], "output": ["10", 1], "id": 7}, {"input": "10 2", "output": "2", "group": None}]
    source = file(tmp_path, "\n".join(json.dumps(line) for line in lines) + "\n\n", "a.jsonl")
    loaded = Table(train_file=source, separator=" ", held_out=0.5).load()
    assert loaded.task.vocabulary == "1 10 2" and loaded.identifiers == ("<blank>", "7")


HEAD = "input,output\n"
BAD_ROWS = [
    (HEAD + "ab,\n", "line 2, column output: empty"),
    (HEAD + ",ab\na,\n", "2 bad rows;(.|\n)*line 2, column input: empty(.|\n)*line 3, column output: empty"),
    (HEAD + "ab\nc,c\n", "line 2, column output: 1 cells, the header has 2"),
    (HEAD + "a,b,c\n", "line 2, column output: 3 cells"),
    (HEAD + "ab,ba\nabcde,a\n", "line 3, column input: 5 symbols, wanted at most 4"),
    (HEAD + "ab,ba\na,abcde\n", "line 3, column output: 5 symbols, wanted at most 4"),
    (HEAD + "ab,bax\n", r"line 2, column output: unknown symbol 'x' at position 3 \(known: a b c d e\)"),
    (HEAD + "a,b\nc,c\na,c\n", "line 4, column output: contradicts train.csv line 2: same input, another output"),
    ("input,output,group\na,b,x\na,b,y\n", "line 3, column group: same input as train.csv line 2, in another group"),
    (HEAD + "a␀,b\n", "'␀' at position 2 stands for padding"),
    (HEAD + '"a\nb",b\nx,\n', "line 4, column output: empty"),
]


@pytest.mark.parametrize(("content", "message"), BAD_ROWS)
def test_bad_rows(tmp_path: Path, content: str, message: str) -> None:
    table = Table(train_file=file(tmp_path, content), vocabulary="abcde", length=4)
    with pytest.raises(DataError, match=message):
        table.load()


BAD_LINES = [
    ('{"input": "a"', "line 1, column .all.: not JSON: .* at character 14"),
    ('{"input": "a", "output": "b"}\n[1]', "line 2, column .all.: a list, wanted an object"),
    ('{"input": "a"}', "column output: missing"),
    ('{"input": "a", "output": null}', "column output: missing"),
    ('{"input": [], "output": "b"}', "column input: empty"),
    ('{"input": 3, "output": "b"}', "column input: a number, wanted text or a list"),
    ('{"input": [[1]], "output": "b"}', "column input: a list of other things"),
    ('{"input": "a", "output": "b", "id": [1]}', "column id: a list, wanted text"),
    ('{"input": "a", "outptu": "b"}', "unknown column 'outptu'; did you mean 'output'"),
    ('{"input": [10], "output": "b"}', "symbol '10' at position 1 has several characters; set separator"),
]


@pytest.mark.parametrize(("content", "message"), BAD_LINES)
def test_bad_json_lines(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Table(train_file=file(tmp_path, content, "a.jsonl")).load()


def test_bad_separators(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no symbol between two separators at position 2"):
        Table(train_file=file(tmp_path, HEAD + "a||b,a\n"), separator="|").load()
    with pytest.raises(DataError, match="line 2, column input: no symbols"):
        Table(train_file=file(tmp_path, HEAD + '"  ",a\n'), separator=" ").load()
    source = file(tmp_path, '{"input": ["a b"], "output": "b"}', "a.jsonl")
    with pytest.raises(DataError, match="symbol 'a b' at position 1 contains the separator ' '"):
        Table(train_file=source, separator=" ").load()


def test_all_bad_rows_are_counted_and_twenty_listed(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        Table(train_file=file(tmp_path, HEAD + "a,\n" * 30)).load()
    lines = str(caught.value).splitlines()
    assert lines[0] == "30 bad rows; mend the file and run again, nothing was written"
    assert len(lines) == 22 and lines[-1] == "  ... and 10 more"
    assert lines[1] == "  train.csv line 2, column output: empty, wanted at least one symbol"


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("a,b\n1,2\n", "a.csv", "has columns a,b; missing input, output; wanted a first line input,output"),
        ("input;output\na;b\n", "a.csv", "has columns input;output; missing input, output"),
        ("", "a.csv", "has columns nothing"),
        ("input,output,input\n", "a.csv", "input comes twice"),
        ("input,output,grup\n", "a.csv", "unknown column 'grup'; did you mean 'group'"),
        (HEAD, "a.csv", "has no rows"),
        (b"input,output\na,\xe9\n", "a.csv", r"not UTF-8: byte 0xe9 at position 15 \(line 2\); save it as UTF-8"),
        (HEAD + 'a,"b\n', "a.csv", "line 2 is not CSV"),
        (CSV, "a.txt", "ends in '.txt', wanted .csv or .jsonl"),
        (HEAD + "a,b\n", "a.csv", "all rows are one group, so none can be held out"),
    ],
)
def test_unusable_files(tmp_path: Path, content: str | bytes, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Table(train_file=file(tmp_path, content, name)).load()


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot read .*no.csv: No such file"):
        Table(train_file=str(tmp_path / "no.csv")).load()
    with pytest.raises(ConfigError, match="no train_file; name one"):
        Table().load()


def test_test_rows_must_be_new(tmp_path: Path) -> None:
    test = file(tmp_path, HEAD + "zz,z\nab,ba\n", "test.csv")
    with pytest.raises(DataError, match=r"test.csv line 3, column input: in the training set too: train.csv line 2"):
        Table(train_file=file(tmp_path, CSV), test_file=test).load()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"held_out": 1.0}, "held_out=1.0; wanted a share"),
        ({"separator": ""}, "separator is empty"),
        ({"length": 0}, "length=0; wanted 1 or more"),
        ({"identifiers": 0}, "identifiers=0"),
        ({"shape": (0, 2)}, r"shape=\[0, 2\]; wanted"),
        ({"shape": (2, 2), "length": 5}, r"length=5, but shape=\[2, 2\] has 4 cells"),
        ({"vocabulary": "aba"}, "vocabulary has 'a' twice"),
        ({"vocabulary": ""}, "vocabulary has an empty symbol"),
        ({"vocabulary": "a,,b", "separator": ","}, "vocabulary has an empty symbol"),
        ({"vocabulary": "a␀"}, "stands for padding"),
    ],
)
def test_impossible_fields(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Table(**fields)  # type: ignore[arg-type]


def test_unresolved_tables_say_so() -> None:
    for call in (lambda t: t.spec(), lambda t: t.parse("a")):
        with pytest.raises(ConfigError, match=r"no vocabulary and length yet: .*hrm data build table"):
            call(Table(train_file="a.csv"))


BOARD = Table(vocabulary="ab[\\", shape=(2, 3))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=6, max_size=6).filter(any))
def test_parse_undoes_format(tokens: list[int]) -> None:
    puzzle = np.array(tokens, np.int32)
    assert np.array_equal(BOARD.parse(BOARD.format(puzzle)), puzzle)
    spaced = Table(vocabulary="one two 3 four", separator=" ", length=6)
    assert np.array_equal(spaced.parse(spaced.format(puzzle)), puzzle)
    plain = Text.from_markup(BOARD.draw(puzzle, puzzle[::-1], before=puzzle)).plain
    assert plain.split() == ["·ab[\\"[token] for token in tokens[::-1]]


def test_boards() -> None:
    spec = BOARD.spec()
    assert spec.shape == (2, 3) and spec.seq_len == 6 and spec.relations[0].name == "neighbours"
    assert BOARD.parse("aba\nbab\n").tolist() == [1, 2, 1, 2, 1, 2]
    drawn = BOARD.draw(BOARD.parse("abab"), BOARD.parse("abbb"), before=BOARD.parse("abab"))
    assert drawn.splitlines()[0] == "[bold]a[/] [bold]b[/] [on yellow]b[/]"


def test_parse_errors() -> None:
    for text, message in (
        ("", "an empty puzzle, wanted 1 to 6 symbols"),
        ("abababa", "7 symbols, wanted at most 6"),
        ("abx", "unknown symbol 'x' at position 3"),
    ):
        with pytest.raises(DataError, match=message):
            BOARD.parse(text)


def test_a_table_has_no_rules() -> None:
    puzzle = BOARD.parse("ab")
    assert BOARD.check(puzzle) is None and BOARD.check(np.zeros(6, np.int32)) == "an empty puzzle"
    answers = np.array([[1, 2, 0, 0, 0, 0], [0] * 6, [5, 1, 1, 1, 1, 1], [-1, 1, 1, 1, 1, 1]], np.int32)
    assert BOARD.valid(np.repeat(puzzle[None], 4, 0), answers).tolist() == [True, False, False, False]
    assert [BOARD.solved(valid) for valid in (True, False, None)] == [None, False, None]
    assert BOARD.format(np.array([9, 0, 0, 0, 0, 0], np.int32)) == "␀"
