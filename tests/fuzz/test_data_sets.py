"""Data-set folders: sizes, arrays and names that lie, and npy files that are none."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.damage import damaged
from fuzz.folders import Changes, Files, any_file, changed, changes, files_in
from fuzz.harness import fuzzed, judge
from fuzz.npy import arrays, npy
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.tasks import Arc, Sudoku, dataset
from hrmlab.tasks.base import Split
from hrmlab.tasks.layout import load_array

FILES = ("hrmlab.json", "identifiers.json", "train/dataset.json", "test/dataset.json", "test_puzzles.json")
ARRAYS = (*(f"all__{part}.npy" for part in ("inputs", "labels", "puzzle_identifiers", "puzzle_indices")), "rating.npy")


@pytest.fixture(scope="module")
def sound(home: Path) -> Files:
    """The files of a small data set by name, at `home`/set."""
    task = Sudoku(box_rows=2, box_cols=2)
    made = task.generate(6, 2, seed=0)
    dataset.write(home / "set", task, Split(made.train, made.test, "made"), seed=0)
    (home / "set" / "test_puzzles.json").write_text(json.dumps({"a": {"train": [], "test": []}}))
    return files_in(home / "set")


def look(folder: Path) -> None:
    """All that reads a data set."""
    judge(lambda: dataset.problems(folder), folder.parent)
    for step in (
        lambda: dataset.task_of(folder).spec(),
        lambda: dataset.names(folder),
        lambda: dataset.read(folder, "train"),
        lambda: dataset.view(folder, "test").part(slice(2)),
        lambda: Arc().ballot(folder),
    ):
        judge(step, folder.parent)


def ways(name: str, source: bytes) -> st.SearchStrategy[bytes]:
    return any_file(name, source) if name.endswith(".json") else damaged(source) | arrays()


def test_folders(home: Path, sound: Files) -> None:
    @fuzzed(share=0.6)
    @given(changes(sound, ways))
    def folders(different: Changes) -> None:
        with changed(home / "set", sound, different):
            look(home / "set")

    folders()


@fuzzed()
@given(
    arrays()
    | st.deferred(lambda: damaged(npy("{'descr': '<i4', 'fortran_order': False, 'shape': (2,), }\n", b"\x01" * 8)))
)
def test_arrays(home: Path, data: bytes) -> None:
    (home / "one.npy").write_bytes(data)
    array = judge(lambda: load_array(home / "one.npy"), home)
    assert array is None or (array.dtype.kind in "iu" and array.nbytes <= len(data))


class Planted:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (Path("sentinel"), "here")


def test_an_array_of_objects_is_not_unpickled(home: Path) -> None:
    np.save(home / "objects.npy", np.array([Planted()], object), allow_pickle=True)
    assert judge(lambda: load_array(home / "objects.npy"), home) is None
    assert not (home / "sentinel").exists()


@pytest.mark.parametrize("name", ["../train/all", "/outside/all", "a/b", "..", "", "x\x00", "a" * 300])
def test_a_set_by_a_name_that_leads_elsewhere_is_refused(home: Path, sound: Files, name: str) -> None:
    about = json.loads(sound["train/dataset.json"]) | {"sets": [name]}
    shutil.copytree(home / "set", home / "strange", dirs_exist_ok=True)
    (home / "strange" / "train" / "dataset.json").write_text(json.dumps(about))
    assert judge(lambda: dataset.read(home / "strange", "train"), home) is None
