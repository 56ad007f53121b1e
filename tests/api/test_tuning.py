"""A tiny search from end to end, and what is concluded from a confirmation whose scores are known."""

import json
from pathlib import Path
from typing import Any

import pytest

from hrmlab.api import tune
from hrmlab.config import load_json
from hrmlab.errors import ConfigError, DataError
from hrmlab.training.config import RunConfig

pytest.importorskip("optuna", reason="optuna is not installed")

SMALL = (
    "model.size.width=8",
    "model.schedule.cycles=1",
    "training.batch_size=4",
    "training.engine=eager",
    "data.train=40",
    "data.test=4",
    "halting.max_segments=2",
    "evaluation.max_segments=2",
)


def score_by_width(folder: Path) -> dict[str, dict[str, Any]]:
    """A confirming cell in place of a training: every width but the preset's solves more."""
    cell = json.loads((folder / "cell.json").read_text())
    better = cell["arm"] == "found"
    return {"own": {"exact": 0.5 + 0.1 * better + cell["seed"] % 10 / 1000}}


def test_a_search_from_end_to_end_and_again(tmp_path: Path) -> None:
    first = tune("sudoku-4x4", SMALL, trials=3, steps=2, seeds=1, out=tmp_path / "tune", quiet=True)
    assert sum(count for state, count in first.trials.items() if state != "outside") == 3
    assert any(trial["preset"] for trial in json.loads(Path(first.study, "result.json").read_text())["front"])
    lines = Path(first.table).read_text().splitlines()
    assert len(lines) == 1 + sum(first.trials.values())
    assert load_json(Path(first.config), RunConfig).name == "sudoku-4x4"
    assert not first.improved  # one pair shows nothing, and two steps teach nothing
    assert load_json(Path(first.config), RunConfig).model.size.width == 8
    again = tune("sudoku-4x4", SMALL, trials=3, steps=2, seeds=1, out=tmp_path / "tune", quiet=True)
    assert again == first
    with pytest.raises(DataError, match="choose another --out"):
        tune("sudoku-4x4", SMALL, trials=3, steps=3, seeds=1, out=tmp_path / "tune", quiet=True)


def test_a_preset_over_the_limits_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="sudoku-4x4 itself is over the limits"):
        tune("sudoku-4x4", SMALL, trials=3, steps=2, max_params=10, out=tmp_path / "tune", quiet=True)
    assert not (tmp_path / "tune").exists()
