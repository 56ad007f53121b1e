"""Weights in parts: two processes train as one would, hold half, and either goes on with the other's run."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from training.alike import assert_alike, by_two, states
from training.fsdp_at_work import RUNS, SHARDED, goes_on
from training.ranks_at_work import learn, run_config, trainer

from hrmlab.errors import ConfigError
from hrmlab.training.checkpoint import checkpoints
from hrmlab.training.parts import shared
from hrmlab.training.ranks import ALONE, Ranks

pytestmark = pytest.mark.skipif(not torch.distributed.is_available(), reason="wants a torch with torch.distributed")


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("two")
    learn(folder / "one", ALONE)
    return by_two("fsdp_at_work.py", folder)


@pytest.fixture(scope="module")
def said(two: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((two / "said.json").read_text())
    return found


@pytest.mark.parametrize("name", RUNS)
def test_the_run_is_that_of_one_process(two: Path, tmp_path: Path, name: str) -> None:
    learn(tmp_path, ALONE, *RUNS[name])
    for found, wanted in zip(states(two / name), states(tmp_path), strict=True):
        assert torch.equal(found["carry"]["batch"]["inputs"], wanted["carry"]["batch"]["inputs"])
        assert_alike(found, wanted)
    assert name != "skips" or 2 < wanted["guard"]["seen"] < 8, "a step is left out, not all of them"


def test_going_on_from_a_checkpoint_is_bit_for_bit_as_not_having_stopped(two: Path) -> None:
    assert_alike(states(two / "again")[0], states(two / "adamw")[1], 0)


@pytest.mark.parametrize("name", ["unsharded", "from_one"])
def test_whole_and_sharded_runs_go_on_with_each_others(two: Path, name: str) -> None:
    assert_alike(states(two / name)[0], states(two / "one")[1])


def test_one_process_goes_on_with_a_sharded_run(two: Path, tmp_path: Path) -> None:
    goes_on(ALONE, checkpoints(two / "adamw")[0], tmp_path, SHARDED)
    assert_alike(states(tmp_path)[0], states(two / "one")[1])


def test_what_evaluates_is_the_whole_average(two: Path) -> None:
    found, wanted = torch.load(two / "lent.pt", weights_only=True), states(two / "again")[0]["ema"]
    assert found.keys() == wanted.keys() and all(torch.equal(found[name], wanted[name]) for name in found)


def test_without_an_average_the_weights_themselves_are_evaluated(said: dict[str, Any]) -> None:
    assert said["same"] and all(said["same"])


def test_each_process_holds_half(said: dict[str, Any]) -> None:
    assert said["parts"]
    one, sharded, whole = said["alone"], said["held"]["sharded"], said["held"]["whole"]
    for name in ("weights", "gradients", "optimiser", "average"):
        shares = [of[name] for of in sharded]
        assert sum(shares) == one[name] and max(shares) < 0.51 * one[name], name
        assert [of[name] for of in whole] == [one[name]] * 2
    assert max(of["all"] for of in sharded) < 0.6 * one["all"]


@pytest.mark.parametrize("engine", ["compiled", "captured"])
def test_engines_that_join_operations_are_refused(engine: str) -> None:
    with pytest.raises(ConfigError, match=f"training.engine={engine} came with .* wanted eager, reference or auto"):
        trainer(run_config(SHARDED, f"training.engine={engine}"), Ranks(0, 2))


def test_one_process_keeps_whole_weights() -> None:
    run = trainer(run_config(SHARDED))
    assert run.sharded is None and not any(shared(p) for p in run.model.parameters())
