"""The public CSV layout, converted: equal to the reference's own output, and every error in words."""

import json
import shutil
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from hrmlab.errors import ConfigError, DataError, MissingExtraError
from hrmlab.tasks import dataset
from hrmlab.tasks.base import Tokens
from hrmlab.tasks.convert import convert
from hrmlab.tasks.layout import FIELDS
from hrmlab.tasks.maze import Maze
from hrmlab.tasks.public_csv import locate
from hrmlab.tasks.table import Table

GOLDEN = Path(__file__).parents[1] / "golden" / "datasets"
MAZE = Maze(size=(11, 11))


@dataclass(frozen=True, kw_only=True)
class NineByNine(Table):
    """Sizes of a 9x9 Sudoku, and nothing else of it."""

    kind: Literal["sudoku"] = "sudoku"  # type: ignore[assignment]
    vocabulary: str | None = ".123456789"
    length: int | None = 81


def assert_same_folder(ours: Path, reference: Path) -> None:
    for split in ("train", "test"):
        for name in FIELDS:
            left, right = (np.load(root / split / f"all__{name}.npy") for root in (ours, reference))
            assert left.dtype == right.dtype and np.array_equal(left, right), (split, name)
        left, right = (json.loads((root / split / "dataset.json").read_text()) for root in (ours, reference))
        assert left == right
    assert json.loads((ours / "identifiers.json").read_text()) == ["<blank>"]


def test_sudoku_equals_the_reference(tmp_path: Path) -> None:
    split = convert(GOLDEN / "sudoku_csv", tmp_path / "x", NineByNine())
    assert_same_folder(tmp_path / "x", GOLDEN / "sudoku_converted")
    assert dataset.read(tmp_path / "x", "train").rating[0] == 57
    assert "no augmentation" in split.protocol


def test_maze_equals_the_reference(tmp_path: Path) -> None:
    convert(GOLDEN / "maze_csv", tmp_path / "x", MAZE, symmetries=True)
    assert_same_folder(tmp_path / "x", GOLDEN / "maze_converted")
    assert dataset.problems(tmp_path / "x") == []
    assert dataset.task_of(tmp_path / "x") == MAZE
    ratings = dataset.read(tmp_path / "x", "train").rating.reshape(6, 8)
    assert ratings[0, 0] == 16 and (ratings == ratings[:, :1]).all()


def test_subsample(tmp_path: Path) -> None:
    whole = convert(GOLDEN / "sudoku_csv", tmp_path / "all", NineByNine())
    some = convert(GOLDEN / "sudoku_csv", tmp_path / "a", NineByNine(), train=5, test=3, seed=4)
    again = convert(GOLDEN / "sudoku_csv", tmp_path / "b", NineByNine(), train=5, test=3, seed=4)
    other = convert(GOLDEN / "sudoku_csv", tmp_path / "c", NineByNine(), train=5, test=3, seed=5)
    assert len(some.train) == 5 and len(some.test) == 3 and "kept 5 and 3 by seed 4" in some.protocol
    assert np.array_equal(some.train.inputs, again.train.inputs)
    assert not np.array_equal(some.train.inputs, other.train.inputs)
    places = [np.flatnonzero((whole.train.inputs == row).all(1))[0] for row in some.train.inputs]
    assert places == sorted(set(places))
    with pytest.raises(DataError, match="25 train puzzles wanted, the file has 24"):
        convert(GOLDEN / "sudoku_csv", tmp_path / "d", NineByNine(), train=25)


def test_augmentations_follow_their_puzzle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def turn(inputs: Tokens, labels: Tokens, rng: np.random.Generator) -> tuple[Tokens, Tokens]:
        assert inputs.dtype == np.int32
        order = rng.permutation(81)
        return inputs[:, order], labels[:, order]

    monkeypatch.setattr("hrmlab.tasks.convert.BLOCK", 8)
    split = convert(GOLDEN / "sudoku_csv", tmp_path / "x", NineByNine(), augmentations=3, augment=turn)
    assert len(split.train) == 96 and len(split.test) == 12 and "3 augmentations" in split.protocol
    plain = np.load(GOLDEN / "sudoku_converted" / "train" / "all__inputs.npy")
    assert np.array_equal(split.train.inputs[::4], plain)
    assert np.array_equal(np.sort(split.train.inputs, 1), np.sort(np.repeat(plain, 4, 0), 1))
    assert not np.array_equal(split.train.inputs[1], plain[0])
    assert np.load(tmp_path / "x" / "train" / "all__group_indices.npy").tolist() == list(range(0, 97, 4))
    convert(GOLDEN / "maze_csv", tmp_path / "y", MAZE, augmentations=2, augment=MAZE.augment)
    assert dataset.problems(tmp_path / "y") == []


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        (Table(vocabulary="ab", length=2), {}, "task 'table' cannot be converted"),
        (MAZE, {"augmentations": -1}, "augmentations=-1; wanted 0 or more"),
        (MAZE, {"seed": -1}, "seed=-1; wanted 0 or more"),
        (MAZE, {"augmentations": 2}, "no augmentation is given for task 'maze'"),
        (MAZE, {"augmentations": 2, "symmetries": True, "augment": MAZE.augment}, "give one of the two"),
        (NineByNine(), {"symmetries": True}, "symmetries are for mazes"),
    ],
)
def test_options_that_do_not_go_together(tmp_path: Path, task: Table, options: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        convert(GOLDEN / "maze_csv", tmp_path / "x", task, **options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def edit(old: str, new: str):  # type: ignore[no-untyped-def]
    def apply(file: Path) -> None:
        text = file.read_bytes().decode()
        assert old in text
        file.write_bytes(text.replace(old, new, 1).encode())

    return apply


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: f.unlink(), "has no test.csv, wanted train.csv and test.csv"),
        (lambda f: f.write_bytes(b""), "has columns nothing; missing question, answer"),
        (edit("answer", "solution"), "missing answer; wanted source,question,answer,rating"),
        (edit(",25\r\n", ",25,7\r\n"), "line 2 has 5 cells, the header has 4"),
        (
            edit("generated,#", "generated,"),
            "line 2: the question has 120 cells, task 'maze' has 121; set the task's size",
        ),
        (edit("###S#", "###X#"), "line 2: unknown character 'X' at position 50 of the question"),
        (edit("###S#", "###é#"), "line 2: unknown character 'é'"),
        (edit(",25\r", ",much\r"), "line 2: rating 'much', wanted a whole number"),
        (lambda f: f.write_bytes(b"source,question\xff"), "not UTF-8: byte 0xff at position 15"),
    ],
)
def test_bad_files(tmp_path: Path, damage, message: str) -> None:  # type: ignore[no-untyped-def]
    shutil.copytree(GOLDEN / "maze_csv", tmp_path / "csv")
    damage(tmp_path / "csv" / "test.csv")
    with pytest.raises(DataError, match=message):
        convert(tmp_path / "csv", tmp_path / "x", MAZE)
    assert not (tmp_path / "x").exists()


def test_a_taken_folder_is_refused_first(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="not empty and was not written by hrm"):
        convert("owner/never-downloaded", tmp_path, MAZE)


def test_ratings_may_be_absent(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "maze_csv", tmp_path / "csv")
    edit(",rating", ",note")(tmp_path / "csv" / "train.csv")
    assert (convert(tmp_path / "csv", tmp_path / "x", MAZE).train.rating == dataset.UNRATED).all()


def hub(monkeypatch: pytest.MonkeyPatch, download: object) -> None:
    module = types.ModuleType("huggingface_hub")
    module.hf_hub_download = download  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "huggingface_hub", module)


def test_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(repo_id: str, filename: str, repo_type: str) -> str:
        assert (repo_id, repo_type) == ("sapientinc/maze-30x30-hard-1k", "dataset")
        return str(GOLDEN / "maze_csv" / filename)

    hub(monkeypatch, download)
    split = convert("sapientinc/maze-30x30-hard-1k", tmp_path / "x", MAZE)
    assert "converted from sapientinc/maze-30x30-hard-1k" in split.protocol


def test_hub_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    def download(**_: str) -> str:
        raise ConnectionError("no route to host\nat length")

    hub(monkeypatch, download)
    with pytest.raises(DataError, match=r"ConnectionError: no route to host\); download .* by hand"):
        locate("sapientinc/sudoku-extreme", "train.csv")
    for name in ("nowhere", "./nowhere", "a/b/c"):
        with pytest.raises(DataError, match=r"no folder .*owner/name on the Hub"):
            locate(name, "train.csv")


def test_hub_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'hrm-lab\[hub\]'"):
        locate("sapientinc/sudoku-extreme", "train.csv")
