"""What RUN and TARGET stand for, shipped models among them."""

import shutil
from pathlib import Path

import pytest
import torch

from hrmlab.api import targets
from hrmlab.api.catalogue import catalog
from hrmlab.config import encode, override
from hrmlab.core.model import HRM
from hrmlab.core.weights import save_weights
from hrmlab.errors import CheckpointError, ConfigError
from hrmlab.presets import preset
from hrmlab.training.folder import RunFolder


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that ships one tiny model called `sudoku-4x4`."""
    monkeypatch.setattr(targets, "SHIPPED", tmp_path / "shipped")
    monkeypatch.setattr("hrmlab.api.catalogue.SHIPPED", tmp_path / "shipped")
    config = override(preset("sudoku-4x4").make(), ["model.size.width=8"])
    home = tmp_path / "shipped" / "sudoku-4x4"
    home.mkdir(parents=True)
    folder = RunFolder(home)
    folder.write("config.json", encode(config))
    folder.write("results.json", {"exact": 0.5, "n": 10})
    save_weights(HRM(config.model, config.task.spec()), home / "weights.safetensors")
    return home


def test_a_shipped_model_is_a_run_by_its_name(shipped: Path) -> None:
    assert targets.shipped_models() == ["sudoku-4x4"]
    run = targets.find_run("sudoku-4x4")
    assert run.load(torch.device("cpu")).config.size.width == 8
    assert "step" not in run.about_weights


def test_a_folder_of_that_name_comes_first(shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(shipped, tmp_path / "sudoku-4x4")
    assert targets.find_run("sudoku-4x4").folder.path == Path("sudoku-4x4")


def test_the_catalogue_tells_how_good_a_shipped_model_is(shipped: Path) -> None:
    (model,) = catalog("model").items
    assert (model.name, model.summary) == ("sudoku-4x4", "trained; 50.0% of 10 held-out puzzles right")
    (shipped / "results.json").unlink()
    assert catalog("model").items[0].summary == "trained; no results beside it"


def test_an_unknown_run_is_answered_with_what_there_is(shipped: Path) -> None:
    with pytest.raises(CheckpointError, match=r"did you mean 'sudoku-4x4'.*come with hrm-lab: sudoku-4x4"):
        targets.find_run("sudoku4x4")


def test_nothing_shipped_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "SHIPPED", tmp_path / "none")
    assert targets.shipped_models() == []
    with pytest.raises(CheckpointError, match="train one"):
        targets.find_run("anything")


def test_a_target_is_a_preset_a_file_or_a_run(shipped: Path, tmp_path: Path) -> None:
    assert targets.find_config("maze-9x9").name == "maze-9x9"
    assert targets.find_config(shipped).model.size.width == 8
    assert targets.find_config(shipped / "config.json").model.size.width == 8
    with pytest.raises(ConfigError, match="neither a run folder nor a configuration file"):
        targets.find_config(tmp_path)
