"""Which engine a run gets: the one named, or the measured one; and configurations from before engines had names."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hrmlab.config import decode, encode
from hrmlab.core import choosing, compiling
from hrmlab.core.choosing import COMPILING_PAYS
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.engine import engine_of
from hrmlab.training.optimisers import AdamW


@pytest.fixture
def config() -> RunConfig:
    return preset("sudoku-4x4").make()


@pytest.fixture
def model(config: RunConfig) -> HRM:
    return HRM(config.model, config.task.spec())


def budget(config: RunConfig, **fields: Any) -> RunConfig:
    return replace(config, training=TrainingConfig(optimiser=AdamW(), **fields))


def test_a_named_engine_is_taken(config: RunConfig, model: HRM) -> None:
    for name in ("reference", "eager"):
        assert engine_of(budget(config, engine=name, steps=1), model, pytest.fail).name == name


def test_auto_does_not_compile_for_short_runs(config: RunConfig, model: HRM) -> None:
    for limit in ({"seconds": COMPILING_PAYS - 1}, {"steps": 10**6}):
        assert engine_of(budget(config, engine="auto", **limit), model, pytest.fail).name == "eager"


def test_auto_measures_a_long_run_once_for_each_batch_size(
    config: RunConfig, model: HRM, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    now = [0.0]
    monkeypatch.setenv("HRMLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(choosing, "has_compiler", lambda model: True)
    monkeypatch.setattr(compiling, "has_compiler", lambda model: True)
    monkeypatch.setattr(compiling.torch, "compile", lambda function, **options: function)

    def trial(engine: Eager) -> None:
        now[0] += 0.5 if engine.name == "compiled" else 1.0

    never: Callable[[Eager], None] = pytest.fail
    for batch_size in (8, 16):
        long = budget(config, engine="auto", seconds=COMPILING_PAYS, batch_size=batch_size)
        assert engine_of(long, model, trial).name == engine_of(long, model, never).name == "compiled"
    assert len(list((tmp_path / "engines").iterdir())) == 2


@pytest.mark.parametrize(("old", "new"), [(True, "compiled"), (False, "eager"), ("auto", "auto")])
def test_old_configurations_are_read(config: RunConfig, old: Any, new: str) -> None:
    data = encode(config)
    del data["training"]["engine"]
    data["training"]["compile"] = old
    assert decode(RunConfig, data).training.engine == new
