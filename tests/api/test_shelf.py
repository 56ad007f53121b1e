"""Which models and runs can be looked at, by which names."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest

from hrmlab import api
from hrmlab.api.shelf import FRESH, Shelf
from hrmlab.errors import HrmLabError


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("trained") / "run"
    words = ("data.train=8", "data.test=4", "model.size.width=8")
    api.train("sudoku-4x4", words, out=path, steps=2, device="cpu", quiet=True)
    return path


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    shutil.copytree(trained, folder / "one")
    shutil.copytree(trained, folder / "study" / "cells" / "two")
    (folder / "study" / "cells" / "two" / "results.json").unlink()
    shutil.copytree(trained, folder / "broken")
    (folder / "broken" / "config.json").write_text("{")
    (folder / "no run").mkdir()
    return folder


def test_runs_are_found_by_their_path(folder: Path) -> None:
    shelf = Shelf("sudoku-6x6", folder)
    assert sorted(shelf.runs()) == ["broken", "one", "study/cells/two"]
    models = shelf.models()
    assert (
        models[0] == "sudoku-6x6" and models.count("sudoku-6x6") == 1 and {"maze-9x9", f"{folder}/one"} <= set(models)
    )
    assert shelf.find(f"{folder}/study/cells/two").config.name == "sudoku-4x4"
    assert shelf.find("maze-9x9").config.name == "maze-9x9"
    assert Shelf("sudoku-6x6").runs() == Shelf("sudoku-6x6", folder / "nothing").runs() == []


@pytest.mark.parametrize(
    "name", ["../one", "/etc", "one/../one", "", ".", "nothing", "one/checkpoints", "no run", "\0"]
)
def test_a_name_leads_nowhere_else(folder: Path, name: str) -> None:
    with pytest.raises(HrmLabError, match="no run"):
        Shelf("sudoku-6x6", folder).find(name)
    with pytest.raises(HrmLabError, match="no run"):
        Shelf("sudoku-6x6", folder).find(f"{folder}/{name}/.")
    with pytest.raises(HrmLabError, match="no run"):
        Shelf("sudoku-6x6", folder).curves(name)


def test_a_link_to_elsewhere_is_no_run(folder: Path, trained: Path) -> None:
    (folder / "link").symlink_to(trained)
    assert "link" not in Shelf("sudoku-6x6", folder).runs()


def test_a_line_says_how_far_a_run_is(folder: Path) -> None:
    shelf = Shelf("sudoku-6x6", folder)
    assert shelf.about("one") | {"age": 0, "seconds": 0} == {
        "name": "one", "report": False, "preset": "sudoku-4x4", "step": 2, "steps": 2, "seconds": 0,
        "exact": json.loads((folder / "one" / "results.json").read_text())["exact"], "state": "finished", "age": 0,
    }  # fmt: skip
    going = folder / "study" / "cells" / "two"
    os.utime(going / "metrics.jsonl")
    assert shelf.about("study/cells/two")["state"] == "going on"
    past = time.time() - FRESH - 1
    os.utime(going / "metrics.jsonl", (past, past))
    assert shelf.about("study/cells/two")["state"] == "stopped"
    assert shelf.about("broken")["trouble"]


def test_the_newest_run_comes_first(folder: Path) -> None:
    os.utime(folder / "one" / "metrics.jsonl", (1e9, 1e9))
    shelf = Shelf("sudoku-6x6", folder)
    assert shelf.runs()[-1] == "one"
    os.utime(folder / "one" / "metrics.jsonl", (4e9, 4e9))
    assert shelf.runs()[0] == "one"


def test_curves_are_those_of_the_metrics(folder: Path) -> None:
    found = Shelf("sudoku-6x6", folder).curves("one")
    (loss,) = (curve for curve in found["curves"] if curve["name"] == "loss")
    assert loss["training"][-1][0] == 2 and found["divergences"] == []
