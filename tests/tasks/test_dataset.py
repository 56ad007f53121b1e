"""Data sets on disk: round trips, refusals, atomicity, and every kind of damage being found."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.errors import ConfigError, DataError
from hrmlab.tasks import dataset, layout
from hrmlab.tasks.base import IGNORE, TASKS, Examples, Split
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.table import Table

GOLDEN = Path(__file__).parents[1] / "golden" / "datasets"
MAZE = Maze(rows=3, columns=3)
SPLIT = MAZE.generate(6, 3, seed=1)


def table(identifiers: int = 1) -> Table:
    return Table(vocabulary="abc", length=4, identifiers=identifiers)


def examples(identifiers: list[int], seed: int = 0) -> Examples:
    rng = np.random.default_rng(seed)
    shape = (len(identifiers), 4)
    labels = rng.integers(1, 4, shape).astype(np.int32)
    labels[:, 3] = IGNORE
    ids = np.array(identifiers, np.int32)
    return Examples(rng.integers(0, 4, shape).astype(np.int32), labels, ids, np.arange(len(ids), dtype=np.int64))


def same(left: Examples, right: Examples) -> bool:
    return all(
        np.array_equal(getattr(left, f), getattr(right, f)) for f in ("inputs", "labels", "identifiers", "rating")
    )


@pytest.fixture
def maze_set(tmp_path: Path) -> Path:
    path = tmp_path / "mazes"
    dataset.write(path, MAZE, SPLIT, 1)
    return path


def test_what_is_written_is_read_back(maze_set: Path) -> None:
    back = dataset.load(maze_set)
    assert same(back.train, SPLIT.train) and same(back.test, SPLIT.test) and back.protocol == SPLIT.protocol
    assert back.train.inputs.dtype == back.train.labels.dtype == np.int32
    assert dataset.task_of(maze_set) == MAZE and dataset.stored(maze_set).seed == 1
    assert dataset.problems(maze_set) == []
    assert len(dataset.read(maze_set, "train", limit=2)) == 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 3), max_size=12), st.integers(0, 99))
def test_any_identifiers_survive(tmp_path_factory: pytest.TempPathFactory, ids: list[int], seed: int) -> None:
    path = tmp_path_factory.mktemp("any") / "set"
    split = Split(examples(ids, seed), examples([0], seed + 1), "made up")
    dataset.write(path, table(4), split, None, identifiers=["<blank>", "a", "b", "c"])
    assert same(dataset.read(path, "train"), split.train)


def test_puzzles_and_groups(tmp_path: Path) -> None:
    split = Split(examples([1, 1, 2, 0, 0, 2]), examples([]), "made up")
    groups = {"train": [5, 5, 5, 5, 7, 9]}
    dataset.write(tmp_path / "x", table(3), split, 0, groups=groups, identifiers=["<blank>", "a", "b"])
    load = lambda name: np.load(tmp_path / "x" / "train" / f"all__{name}.npy").tolist()  # noqa: E731
    assert load("puzzle_identifiers") == [1, 2, 0, 0, 2]
    assert load("puzzle_indices") == [0, 2, 3, 4, 5, 6]
    assert load("group_indices") == [0, 3, 4, 5]
    meta = layout.load_metadata(tmp_path / "x" / "train")
    assert meta.total_groups == 3 and meta.mean_puzzle_examples == pytest.approx(6 / 5)
    # Not scored: the padding token on disk, -100 in memory.
    assert set(np.load(tmp_path / "x" / "train" / "all__labels.npy")[:, 3]) == {0}
    assert (dataset.read(tmp_path / "x", "train").labels[:, 3] == IGNORE).all()
    with pytest.raises(DataError, match="scattered"):
        dataset.write(
            tmp_path / "y", table(3), split, 0, groups={"train": [1, 2, 1, 1, 1, 1]}, identifiers=["", "", ""]
        )


@pytest.mark.parametrize(("vocabulary", "dtype"), [(3, np.uint8), (300, np.uint16)])
def test_small_integers_on_disk(tmp_path: Path, vocabulary: int, dtype: type) -> None:
    task = Table(vocabulary=" ".join(map(str, range(vocabulary))), separator=" ", length=4)
    dataset.write(tmp_path / "x", task, Split(examples([0]), examples([0, 0]), ""), 0)
    assert np.load(tmp_path / "x" / "test" / "all__inputs.npy").dtype == dtype
    assert len(dataset.read(tmp_path / "x", "test")) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": np.zeros((6, 48), np.int32)}, r"train inputs have shape \(6, 48\), wanted \(6, 49\)"),
        ({"labels": np.zeros((5, 49), np.int32)}, "train labels have shape"),
        ({"rating": np.zeros(5, np.int64)}, "train rating has shape"),
        ({"inputs": np.full((6, 49), 6, np.int32)}, r"train inputs\[0, 0\] is 6, wanted 0 to 5"),
        ({"labels": np.full((6, 49), -1, np.int32)}, r"train labels\[0, 0\] is -1"),
        ({"identifiers": np.ones(6, np.int32)}, r"train identifiers\[0\] is 1, wanted 0 to 0"),
    ],
)
def test_misfits_are_refused(tmp_path: Path, change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(DataError, match=message):
        dataset.write(tmp_path / "x", MAZE, replace(SPLIT, train=replace(SPLIT.train, **change)), 1)
    assert list(tmp_path.iterdir()) == []


def test_names_must_fit(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="2 identifier names for 1 identifiers"):
        dataset.write(tmp_path / "x", MAZE, SPLIT, 1, identifiers=["<blank>", "a"])


def test_only_our_own_folder_is_replaced(maze_set: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds a data set already.*--replace"):
        dataset.write(maze_set, MAZE, SPLIT, 1)
    other = replace(SPLIT, train=SPLIT.test, test=SPLIT.train)
    dataset.write(maze_set, MAZE, other, 1, replace=True)
    assert same(dataset.read(maze_set, "train"), SPLIT.test)
    foreign = tmp_path / "mine"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("years of work")
    with pytest.raises(DataError, match="not empty and was not written by hrm"):
        dataset.write(foreign, MAZE, SPLIT, 1, replace=True)
    with pytest.raises(DataError, match="is a file"):
        dataset.write(foreign / "thesis.txt", MAZE, SPLIT, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mazes", "mine"]
    (tmp_path / "empty").mkdir()
    dataset.write(tmp_path / "empty", MAZE, SPLIT, 1)
    assert dataset.problems(tmp_path / "empty") == []


@pytest.mark.parametrize(
    ("number", "message"), [(errno.ENOSPC, "no space left.*free some space"), (errno.EACCES, "cannot write")]
)
@pytest.mark.parametrize("replacing", [False, True])
def test_a_failed_write_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str, replacing: bool
) -> None:
    path = tmp_path / "x"
    if replacing:
        dataset.write(path, MAZE, SPLIT, 1)
    calls = []

    def fail(file: Path, array: np.ndarray) -> None:
        calls.append(file)
        if len(calls) == 8:
            raise OSError(number, os.strerror(number))
        layout.save_array(file, array)

    monkeypatch.setattr(dataset, "save_array", fail)
    with pytest.raises(DataError, match=message):
        dataset.write(path, MAZE, replace(SPLIT, train=SPLIT.test), 1, replace=replacing)
    assert [p.name for p in tmp_path.iterdir()] == (["x"] if replacing else [])
    if replacing:
        assert same(dataset.read(path, "train"), SPLIT.train)


def test_an_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(file: Path, data: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "save_json", stop)
    with pytest.raises(KeyboardInterrupt):
        dataset.write(tmp_path / "x", MAZE, SPLIT, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_keeps_its_errno() -> None:
    with pytest.raises(OSError) as caught:
        layout.save_array(Path("/dev/full"), np.zeros(1_000_000, np.uint8))
    assert caught.value.errno == errno.ENOSPC


def rewrite(file: str, change):  # type: ignore[no-untyped-def]
    """A corruption that loads an array, lets `change` return another, and saves it."""

    def apply(path: Path) -> None:
        np.save(path / file, change(np.load(path / file)))

    return apply


def reword(file: str, **fields: object):  # type: ignore[no-untyped-def]
    def apply(path: Path) -> None:
        data = json.loads((path / file).read_text())
        (path / file).write_text(json.dumps({k: v for k, v in (data | fields).items() if v != "gone"}))

    return apply


def put(array: np.ndarray, at: object, value: int) -> np.ndarray:
    array = array.astype(np.int32)
    array[at] = value
    return array


def leak(path: Path) -> None:
    for name in ("inputs", "labels"):
        train = np.load(path / f"train/all__{name}.npy")
        test = np.load(path / f"test/all__{name}.npy")
        test[1] = train[2]
        np.save(path / f"test/all__{name}.npy", test)


DAMAGE = {
    "no split": (lambda p: shutil.rmtree(p / "test"), "cannot read .*test/dataset.json: No such file"),
    "missing array": (lambda p: (p / "train/all__labels.npy").unlink(), "cannot read .*labels.npy: No such file"),
    "empty file": (lambda p: (p / "train/all__labels.npy").write_bytes(b""), "labels.npy is empty"),
    "not npy": (lambda p: (p / "train/all__labels.npy").write_bytes(b"hello world, hello"), "not a readable npy"),
    "truncated": (
        lambda p: (p / "test/all__inputs.npy").write_bytes((p / "test/all__inputs.npy").read_bytes()[:-9]),
        "inputs.npy is not a readable npy",
    ),
    "bad header": (
        lambda p: (p / "test/all__inputs.npy").write_bytes(b"\x93NUMPY\x01\x00\x0a\x00{'descr'((\n" + b"\0" * 64),
        "inputs.npy is not a readable npy",
    ),
    "pickle": (
        lambda p: np.save(p / "train/all__inputs.npy", np.array([{}], object), allow_pickle=True),
        "inputs.npy is not a readable npy",
    ),
    "floats": (rewrite("train/all__inputs.npy", lambda a: a.astype(np.float32)), "holds float32, wanted integers"),
    "json": (lambda p: (p / "train/dataset.json").write_text("{"), "dataset.json is not JSON"),
    "json list": (lambda p: (p / "train/dataset.json").write_text("[]"), "holds a list, wanted an object"),
    "json field": (reword("train/dataset.json", seq_len="gone"), "seq_len is missing"),
    "json type": (reword("train/dataset.json", seq_len="many"), "seq_len="),
    "no sets": (reword("train/dataset.json", sets=[], total_groups=0, mean_puzzle_examples=0), "names no sets"),
    "pad": (reword("train/dataset.json", pad_id=3), "has pad_id 3 and"),
    "seq_len": (reword("train/dataset.json", seq_len=50), r"wanted \(examples, 50\)"),
    "dimensions": (rewrite("train/all__group_indices.npy", lambda a: a[None]), "wanted one dimension"),
    "fewer labels": (rewrite("train/all__labels.npy", lambda a: a[:-1]), "labels.npy has 5 examples, inputs have 6"),
    "fewer puzzles": (rewrite("train/all__puzzle_identifiers.npy", lambda a: a[:-1]), "7 entries, wanted 6"),
    "start": (rewrite("train/all__puzzle_indices.npy", lambda a: put(a, 0, -1)), "does not start at 0"),
    "end": (rewrite("train/all__puzzle_indices.npy", lambda a: put(a, -1, 9)), "ends at 9, wanted 6, the number of ex"),
    "group end": (rewrite("train/all__group_indices.npy", lambda a: a[:-1]), "ends at 5, wanted 6, the number of puz"),
    "order": (rewrite("train/all__puzzle_indices.npy", lambda a: put(a, 2, 1)), "does not rise: 1 then 1 at entry 2"),
    "token": (rewrite("train/all__inputs.npy", lambda a: put(a, (2, 7), 99)), r"outside 0..5 .*first 99 at \[2, 7\]"),
    "negative": (rewrite("train/all__labels.npy", lambda a: put(a, (1, 1), -3)), r"first -3 at \[1, 1\]"),
    "identifier": (rewrite("train/all__puzzle_identifiers.npy", lambda a: put(a, 4, 1)), r"outside 0..0 .*1 at \[4\]"),
    "groups": (reword("train/dataset.json", total_groups=5), "total_groups 5, the files hold 6"),
    "mean": (reword("train/dataset.json", mean_puzzle_examples=2.0), "mean_puzzle_examples 2.0, the files hold 1.0"),
    "rating": (rewrite("train/rating.npy", lambda a: a[1:]), r"rating.npy has shape \(5,\)"),
    "no rating": (lambda p: (p / "test/rating.npy").unlink(), "cannot read .*rating.npy"),
    "no names": (lambda p: (p / "identifiers.json").unlink(), "cannot read .*identifiers.json"),
    "names": (lambda p: (p / "identifiers.json").write_text("{}"), "is not a list of names"),
    "more names": (lambda p: (p / "identifiers.json").write_text('["a", "b"]'), "has 2 names, .*identifiers 1"),
    "format": (reword("hrmlab.json", format=2), "has format 2, this version reads 1"),
    "about": (lambda p: (p / "hrmlab.json").write_text("nothing"), "hrmlab.json is not JSON"),
    "about field": (reword("hrmlab.json", colour="red"), "unknown key 'colour'"),
    "kind": (reword("hrmlab.json", task={"kind": "mase"}), "unknown task 'mase'; did you mean 'maze'"),
    "other task": (reword("hrmlab.json", task={"kind": "maze"}), "says seq_len 49, its task 'maze' has 361"),
    "answer": (rewrite("test/all__labels.npy", lambda a: put(a, (0, 0), 5)), "1 labels do not solve.*'maze': rows 0"),
    "leak": (leak, "test: 1 of 3 inputs occur in train too: rows 1"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found(maze_set: Path, name: str) -> None:
    damage, message = DAMAGE[name]
    damage(maze_set)
    found = dataset.problems(maze_set)
    pattern = pytest.raises(DataError, match=message)
    with pattern:
        raise DataError("\n".join(found))


def test_all_problems_at_once(maze_set: Path) -> None:
    for name in ("fewer labels", "order", "no names"):
        DAMAGE[name][0](maze_set)
    (maze_set / "test" / "all__inputs.npy").unlink()
    found = dataset.problems(maze_set)
    assert len(found) == 4, found
    with pytest.raises(DataError, match=r"labels.npy has 5 examples.*; .*does not rise"):
        dataset.read(maze_set, "train")


def test_nothing_there(tmp_path: Path) -> None:
    assert "no data set at" in dataset.problems(tmp_path / "no")[0]
    for call in (dataset.task_of, dataset.load):
        with pytest.raises(DataError, match=r"no data set at .*hrm data build"):
            call(tmp_path / "no")
    for call in (dataset.stored, dataset.names):
        with pytest.raises(DataError, match="cannot read"):
            call(tmp_path)
    (tmp_path / "identifiers.json").write_text("{}")
    with pytest.raises(DataError, match="is not a list of names"):
        dataset.names(tmp_path)


def test_reference_maze_folder() -> None:
    path = GOLDEN / "maze_converted"
    assert dataset.problems(path) == []
    assert dataset.task_of(path) == Maze(size=(11, 11))
    split = dataset.load(path)
    assert "guessed from vocab_size 6, seq_len 121" in split.protocol
    assert len(split.train) == 48 and len(split.test) == 3 and (split.test.rating == dataset.UNRATED).all()


def test_reference_sudoku_folder() -> None:
    path = GOLDEN / "sudoku_converted"
    assert len(dataset.read(path, "train")) == 24
    assert dataset.stored(path).task == {"kind": "sudoku"}
    if "sudoku" in TASKS.names():
        assert dataset.problems(path) == []
        assert dataset.task_of(path).spec().vocab_size == 11


def test_reference_folder_of_another_task(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "maze_converted", tmp_path / "x")
    for name in ("train", "test"):
        reword(f"{name}/dataset.json", vocab_size=12, num_puzzle_identifiers=7)(tmp_path / "x")
    (tmp_path / "x" / "identifiers.json").write_text(json.dumps(["<blank>", *"abcdef"]))
    task = dataset.task_of(tmp_path / "x")
    assert task.kind == "table" and dataset.problems(tmp_path / "x") == []
    assert task.parse("3 11 1").tolist()[:4] == [3, 11, 1, 0]


def test_several_sets(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "maze_converted", tmp_path / "x")
    folder = tmp_path / "x" / "train"
    for file in list(folder.glob("all__*.npy")):
        shutil.copy(file, folder / file.name.replace("all", "more"))
    reword("train/dataset.json", sets=["all", "more"], total_groups=12)(tmp_path / "x")
    assert dataset.problems(tmp_path / "x") == []
    assert len(dataset.read(tmp_path / "x", "train")) == 96


def test_labels_may_be_scored_all(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "maze_converted", tmp_path / "x")
    reword("test/dataset.json", ignore_label_id=None)(tmp_path / "x")
    assert (dataset.read(tmp_path / "x", "test").labels != IGNORE).all()


def test_the_config_of_an_unresolved_table_is_not_stored(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no vocabulary and length yet"):
        dataset.write(tmp_path / "x", Table(train_file="a.csv"), SPLIT, 1)
