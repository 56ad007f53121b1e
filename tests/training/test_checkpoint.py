"""A run that is interrupted and resumed goes on exactly as if it had not been."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from hrmlab.core.model import HRM
from hrmlab.errors import CheckpointError
from hrmlab.presets import preset
from hrmlab.tasks import Examples
from hrmlab.training.checkpoint import TRAINING, WEIGHTS, checkpoints, restore, save_checkpoint, verify
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer


def run_config(**training: object) -> RunConfig:
    config = preset("hrm-sudoku-4x4").make()
    size = replace(config.model.size, width=8, layers=1)
    budget = {"steps": 8, "seconds": None, "batch_size": 4} | training
    return replace(config, model=replace(config.model, size=size), training=replace(config.training, **budget))


@pytest.fixture(scope="module")
def examples() -> Examples:
    return run_config().task.generate(24, 4, seed=0).train


def trainer(config: RunConfig, examples: Examples) -> Trainer:
    torch.manual_seed(config.training.seed)
    return Trainer(config, HRM(config.model, config.task.spec()), Feeder(examples, config.training.seed))


def run_steps(run: Trainer, until: int) -> None:
    run.run(lambda run: run.budget.step < until)


def test_resuming_gives_the_same_weights_bit_for_bit(tmp_path: Path, examples: Examples) -> None:
    config = run_config()
    whole = trainer(config, examples)
    run_steps(whole, 8)
    first = trainer(config, examples)
    run_steps(first, 3)
    saved = save_checkpoint(first, tmp_path)
    second = trainer(config, examples)
    restore(second, saved)
    assert second.budget.step == 3
    run_steps(second, 8)
    for name, tensor in whole.evaluated_model.state_dict().items():
        assert torch.equal(tensor, second.evaluated_model.state_dict()[name]), name
    assert torch.equal(whole.carry.steps, second.carry.steps)
    assert whole.feeder.position == second.feeder.position


def test_training_lowers_the_loss(examples: Examples) -> None:
    run = trainer(run_config(steps=80), examples)
    run_steps(run, 8)
    early = run.measures()["loss/answer"]
    run_steps(run, 70)
    run.measures()
    run_steps(run, 80)
    assert run.measures()["loss/answer"] < 0.9 * early


def test_only_the_newest_checkpoints_are_kept(tmp_path: Path, examples: Examples) -> None:
    run = trainer(run_config(), examples)
    for until in (1, 2, 3):
        run_steps(run, until)
        save_checkpoint(run, tmp_path, keep=2)
    assert [path.name for path in checkpoints(tmp_path)] == ["00000002", "00000003"]


@pytest.mark.parametrize("file", [WEIGHTS, TRAINING])
def test_a_truncated_file_is_refused_by_name(tmp_path: Path, examples: Examples, file: str) -> None:
    saved = save_checkpoint(trainer(run_config(), examples), tmp_path)
    content = (saved / file).read_bytes()
    (saved / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(CheckpointError, match=file):
        verify(saved)
    with pytest.raises(CheckpointError, match=file):
        restore(trainer(run_config(), examples), saved)


def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(tmp_path: Path, examples: Examples) -> None:
    saved = save_checkpoint(trainer(run_config(), examples), tmp_path)
    config = run_config()
    wider = replace(config, model=replace(config.model, size=replace(config.model.size, width=16)))
    run = trainer(wider, examples)
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    with pytest.raises(CheckpointError, match="of shape"):
        restore(run, saved)
    assert all(torch.equal(before[name], tensor) for name, tensor in run.model.state_dict().items())


def test_a_full_disk_leaves_no_half_checkpoint(
    tmp_path: Path, examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trainer(run_config(), examples)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hrmlab.core.weights.os.fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        save_checkpoint(run, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_names_the_step_and_both_files(tmp_path: Path, examples: Examples) -> None:
    run = trainer(run_config(), examples)
    run_steps(run, 2)
    manifest = json.loads((save_checkpoint(run, tmp_path) / "manifest.json").read_text())
    assert manifest["step"] == 2
    assert set(manifest["sha256"]) == {WEIGHTS, TRAINING}
