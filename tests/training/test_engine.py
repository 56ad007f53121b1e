"""Which engine a run gets: the one named, or the measured one; and configurations from before engines had names."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab.config import decode, encode
from hrmlab.core import compiling
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.presets import preset
from hrmlab.training import engine as choosing
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.engine import COMPILING_PAYS, engine_of
from hrmlab.training.optimisers import AdamW

Trial = Callable[[Eager], None]


@pytest.fixture
def config() -> RunConfig:
    return preset("sudoku-4x4").make()


@pytest.fixture
def model(config: RunConfig) -> HRM:
    return HRM(config.model, config.task.spec())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[float], Trial]:
    """A clock that only trials move: an eager step takes one second, a compiled one as many as given."""
    now = [0.0]
    monkeypatch.setenv("HRMLAB_CACHE", str(tmp_path))
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(compiling, "has_compiler", lambda model: True)
    monkeypatch.setattr(choosing, "has_compiler", lambda model: True)
    monkeypatch.setattr(compiling.torch, "compile", lambda function, **options: function)

    def trial_of(compiled: float) -> Trial:
        def trial(engine: Eager) -> None:
            now[0] += compiled if engine.name == "compiled" else 1.0

        return trial

    return trial_of


def budget(config: RunConfig, **fields: Any) -> RunConfig:
    return replace(config, training=TrainingConfig(optimiser=AdamW(), **fields))


def test_a_named_engine_is_taken(config: RunConfig, model: HRM) -> None:
    for name in ("reference", "eager"):
        assert engine_of(budget(config, engine=name, steps=1), model, pytest.fail).name == name


def test_auto_does_not_compile_for_short_runs(config: RunConfig, model: HRM) -> None:
    for limit in ({"seconds": COMPILING_PAYS - 1}, {"steps": 10**6}):
        assert engine_of(budget(config, engine="auto", **limit), model, pytest.fail).name == "eager"


@pytest.mark.parametrize(("seconds", "taken"), [(0.5, "compiled"), (0.99, "eager"), (2.0, "eager")])
def test_auto_takes_what_is_clearly_faster_and_remembers(
    config: RunConfig, model: HRM, clock: Callable[[float], Trial], tmp_path: Path, seconds: float, taken: str
) -> None:
    long = budget(config, engine="auto", seconds=COMPILING_PAYS)
    assert engine_of(long, model, clock(seconds)).name == taken
    (file,) = (tmp_path / "engines").iterdir()
    assert json.loads(file.read_text())["step"] == pytest.approx({"eager": 1.0, "compiled": seconds})
    assert engine_of(long, model, pytest.fail).name == taken  # no second measurement


def test_what_is_remembered_is_for_one_model_batch_and_number_of_threads(
    config: RunConfig, model: HRM, clock: Callable[[float], Trial], tmp_path: Path
) -> None:
    for batch_size in (8, 16):
        engine_of(budget(config, engine="auto", seconds=999, batch_size=batch_size), model, clock(0.5))
    assert len(list((tmp_path / "engines").iterdir())) == 2
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        engine_of(budget(config, engine="auto", seconds=999, batch_size=8), model, clock(0.5))
    finally:
        torch.set_num_threads(threads)
    assert len(list((tmp_path / "engines").iterdir())) == 3


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"engine": "gone", "step": {}, "compiling": 1}'])
def test_a_damaged_memory_is_measured_again(
    config: RunConfig, model: HRM, clock: Callable[[float], Trial], tmp_path: Path, content: str
) -> None:
    long = budget(config, engine="auto", seconds=COMPILING_PAYS)
    engine_of(long, model, clock(0.5))
    (file,) = (tmp_path / "engines").iterdir()
    file.write_text(content)
    assert engine_of(long, model, clock(2.0)).name == "eager"


@pytest.mark.parametrize(("old", "new"), [(True, "compiled"), (False, "eager"), ("auto", "auto")])
def test_old_configurations_are_read(config: RunConfig, old: Any, new: str) -> None:
    data = encode(config)
    del data["training"]["engine"]
    data["training"]["compile"] = old
    assert decode(RunConfig, data).training.engine == new
