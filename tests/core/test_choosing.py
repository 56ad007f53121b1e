"""The faster engine is measured once for a model, its work, and a machine; and only where compiling can pay."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab.core import choosing, compiling
from hrmlab.core.choosing import COMPILING_PAYS, faster
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM

Trial = Callable[[Eager], None]


@pytest.fixture
def model(make_spec: Callable[..., Any], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Trial]:
    """A clock that only trials move: an eager one takes one second, a compiled one as many as given."""
    now = [0.0]
    monkeypatch.setattr(choosing.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(compiling, "has_compiler", lambda model: True)
    monkeypatch.setattr(choosing, "has_compiler", lambda model: True)
    monkeypatch.setattr(compiling.torch, "compile", lambda function, **options: function)

    def trial_of(compiled: float) -> Trial:
        def trial(engine: Eager) -> None:
            now[0] += compiled if engine.name == "compiled" else 1.0

        return trial

    return trial_of


def chosen(model: HRM, trial: Trial, folder: Path, ahead: float = COMPILING_PAYS, **about: Any) -> str:
    return faster(model, trial, ahead=ahead, folder=folder, about=about).name


def test_nothing_is_compiled_for_little_work(model: HRM, clock: Callable[[float], Trial], tmp_path: Path) -> None:
    assert chosen(model, pytest.fail, tmp_path, ahead=COMPILING_PAYS - 1) == "eager"
    chosen(model, clock(0.1), tmp_path)
    assert chosen(model, pytest.fail, tmp_path, ahead=COMPILING_PAYS - 1) == "eager"  # though it is known to be faster


def test_nothing_is_measured_without_a_compiler(model: HRM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "has_compiler", lambda model: False)
    assert chosen(model, pytest.fail, tmp_path) == "eager"


@pytest.mark.parametrize(("seconds", "taken"), [(0.5, "compiled"), (0.99, "eager"), (2.0, "eager")])
def test_what_is_clearly_faster_is_taken_and_remembered(
    model: HRM, clock: Callable[[float], Trial], tmp_path: Path, seconds: float, taken: str
) -> None:
    assert chosen(model, clock(seconds), tmp_path / "engines") == taken
    (file,) = (tmp_path / "engines").iterdir()
    about = json.loads(file.read_text())
    assert about["step"] == pytest.approx({"eager": 1.0, "compiled": seconds})
    assert about["compiling"] == pytest.approx(2 + 2 * seconds)
    assert chosen(model, pytest.fail, tmp_path / "engines") == taken  # no second measurement


def test_what_is_remembered_is_for_one_kind_of_work_and_number_of_threads(
    model: HRM, clock: Callable[[float], Trial], tmp_path: Path
) -> None:
    for slots in (8, 16, 8):
        chosen(model, clock(0.5), tmp_path, slots=slots)
    assert len(list(tmp_path.iterdir())) == 2
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        chosen(model, clock(0.5), tmp_path, slots=8)
    finally:
        torch.set_num_threads(threads)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"engine": "gone", "step": {}, "compiling": 1}'])
def test_a_damaged_memory_is_measured_again(
    model: HRM, clock: Callable[[float], Trial], tmp_path: Path, content: str
) -> None:
    chosen(model, clock(0.5), tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(content)
    assert chosen(model, clock(2.0), tmp_path) == "eager"


def test_a_folder_that_cannot_be_written_costs_a_measurement(
    model: HRM, clock: Callable[[float], Trial], tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert chosen(model, clock(0.5), blocked / "engines") == "compiled"
