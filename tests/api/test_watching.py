"""A watched run: looks are recorded and change nothing; what cannot mend itself ends it."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from hrmlab.api import watching
from hrmlab.api.configuring import configure
from hrmlab.api.diagnosing import copied_trainer, follow
from hrmlab.api.watching import Watch
from hrmlab.core.model import HRM
from hrmlab.results import Finding
from hrmlab.training.folder import RunFolder
from hrmlab.training.loop import Trainer


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Trainer, Watch, Path]:
    """A run after its first step, and its watch, which looks from the first moment."""
    monkeypatch.setattr(watching, "FIRST", 0.0)
    config = configure("hrm-sudoku-4x4", ["data.train=24", "data.test=8", "training.engine=eager"], steps=10)
    split = config.task.generate(24, 8, 0)
    torch.manual_seed(0)
    model = HRM(config.model, config.task.spec())
    trainer = copied_trainer(config, split.train, model)
    trainer.step()
    folder = RunFolder.create(tmp_path / "run", config)
    return trainer, Watch("economy", config, split, folder), folder.path


def test_a_look_is_recorded_and_changes_nothing(started: tuple[Trainer, Watch, Path]) -> None:
    trainer, watch, path = started
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    random = torch.random.get_rng_state()
    assert watch(trainer)
    assert all(torch.equal(value, before[name]) for name, value in trainer.model.state_dict().items())
    assert torch.equal(torch.random.get_rng_state(), random)
    assert all(parameter.grad is None for parameter in trainer.model.parameters())
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["step"] == 1 and isinstance(lines[-1]["watch"], list)


def test_watching_takes_its_share_and_no_more(started: tuple[Trainer, Watch, Path]) -> None:
    trainer, watch, path = started
    watch.spent = 1e9
    assert watch(trainer)
    assert not (path / "metrics.jsonl").exists()


def test_a_network_without_gradient_ends_the_run(started: tuple[Trainer, Watch, Path]) -> None:
    trainer, watch, _ = started
    trainer.model.networks["low"].register_forward_hook(lambda _m, _a, out: out.detach())
    assert not watch(trainer)
    assert "gradient_path.unreached" in {finding.rule for finding in watch.lost}


def test_what_time_may_mend_needs_two_looks(started: tuple[Trainer, Watch, Path], monkeypatch: Any) -> None:
    trainer, watch, _ = started
    slow = Finding("updates.too_large", "fail", 1.0, 0.1, "H", "seen", "advice")
    monkeypatch.setattr(watch, "look", lambda _trainer: [slow])
    assert watch(trainer)
    watch.spent = 0.0
    assert not watch(trainer)
    assert watch.lost == [slow]


def test_following_a_shipped_model_looks_once() -> None:
    looks = list(follow("sudoku-4x4", only=["forward_residual"], n=4, segments=2, quiet=True))
    assert [look.checked for look in looks] == [["forward_residual"]]
