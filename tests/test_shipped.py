"""The models that come with the package do on fresh puzzles what their results say."""

import json
import math

import pytest
import torch

from hrmlab.api.targets import SHIPPED, find_run, shipped_models
from hrmlab.inference.evaluate import evaluate

FRESH_SEED = 20_000
"""Of puzzles that no shipped run was trained or evaluated on."""
PUZZLES = {"sudoku-4x4": 200, "sudoku-6x6": 200, "hrm-sudoku-6x6": 200}
FEW = 48
"""Of the larger boards, which take longer."""


def test_the_main_boards_are_shipped() -> None:
    assert {"sudoku-4x4", "sudoku-6x6", "hrm-sudoku-6x6", "sudoku-9x9", "maze-9x9"} <= set(shipped_models())


@pytest.mark.parametrize("name", shipped_models())
def test_the_stated_accuracy_holds_on_fresh_puzzles(name: str) -> None:
    run = find_run(name)
    stated = json.loads((SHIPPED / name / "results.json").read_text())
    count = PUZZLES.get(name, FEW)
    fresh = run.config.task.generate(0, count, seed=FRESH_SEED).test
    scores = evaluate(run.load(torch.device("cpu")), run.config.task, fresh, run.config.evaluation)
    share = min(stated["exact"], 1 - 1 / stated["n"])
    slack = 3.5 * math.sqrt(share * (1 - share) * (1 / count + 1 / stated["n"]))
    assert scores.exact >= stated["exact"] - slack - 1 / count, (scores.exact, stated["exact"])


@pytest.mark.parametrize("name", shipped_models())
def test_a_shipped_model_is_small_and_says_where_it_comes_from(name: str) -> None:
    folder = SHIPPED / name
    assert (folder / "weights.safetensors").stat().st_size < 2_000_000
    results = json.loads((folder / "results.json").read_text())
    origin = json.loads((folder / "provenance.json").read_text())
    assert {"task", "split", "seed", "halting", "weights"} <= results["protocol"].keys()
    assert origin["versions"]["torch"]
