"""A puzzle table in a file: the same numbers as one in memory, of which only what is used takes memory."""

import tempfile
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch
from torch import Tensor

from hrmlab.core.cost import costs
from hrmlab.core.model import HRM
from hrmlab.embeddings.puzzle import PuzzleConfig, PuzzleTable
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.training.checkpoint import restore, save_checkpoint
from hrmlab.training.config import RunConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.memory import memory
from hrmlab.training.overrides import override_run


def run_config(*changes: str) -> RunConfig:
    config = override_run(preset("hrm-sudoku-4x4").make(), ["model.block=post_norm", "model.positions=rotary"])
    config = override_run(config, ["model.embedding=tokens", "model.size.width=8", "model.size.heads=1"])
    config = override_run(config, ["model.puzzle.width=8", "training.ema_buffers=false", *changes])
    return replace(config, training=replace(config.training, steps=6, seconds=None, batch_size=4))


def trainer(config: RunConfig) -> Trainer:
    torch.manual_seed(0)
    examples = config.task.generate(12, 2, seed=0).train
    return Trainer(config, HRM(config.model, config.task.spec()), Feeder(examples, 0))


def trained(config: RunConfig) -> dict[str, Tensor]:
    run = trainer(config)
    run.run(lambda run: True)
    return run.evaluated_model.state_dict()


def test_it_learns_bit_for_bit_what_a_table_in_memory_learns() -> None:
    one, other = trained(run_config()), trained(run_config("model.puzzle.mapped=true"))
    assert one["puzzles.rows"].any()
    assert all(tensor.equal(other[name]) for name, tensor in one.items())


def test_it_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    config = run_config("model.puzzle.mapped=true", "training.puzzle_optimiser=adagrad_row")
    run = trainer(config)
    run.run(lambda run: run.budget.step < 3)
    saved = save_checkpoint(run, tmp_path)
    run.run(lambda run: True)
    again = trainer(config)
    restore(again, saved)
    again.run(lambda run: True)
    rows = [one.model.puzzles.rows for one in (run, again)]  # type: ignore[union-attr]
    assert rows[0].equal(rows[1]) and rows[0].data_ptr() != rows[1].data_ptr()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="counts resident memory as Linux does")
def test_a_large_one_takes_the_memory_of_what_is_used_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = psutil.Process().memory_info().rss
    table = PuzzleTable(1_000_000, PuzzleConfig(width=512, mapped=True))
    ids = torch.arange(0, 1_000_000, 10_000)
    table.rows[ids] = 1.0
    assert table(ids).detach().sum() == 512 * len(ids) and not table(ids + 1).detach().any()
    assert table.rows.nbytes > 2e9 and psutil.Process().memory_info().rss - before < 50e6
    assert list(tmp_path.iterdir()) == []


def test_it_stays_where_it_is_when_the_model_moves() -> None:
    table = PuzzleTable(4, PuzzleConfig(width=2, rank=1, mapped=True)).to(torch.float64)
    assert table.rows.dtype == torch.float32 and table.expand is not None
    assert table.expand.weight.dtype == torch.float64


def test_an_average_of_it_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"set training\.ema_buffers=false"):
        run_config("model.puzzle.mapped=true", "training.ema_buffers=true")


def test_it_is_not_counted_as_memory() -> None:
    config = run_config("model.puzzle.mapped=true")
    spec = config.task.spec()
    with torch.device("meta"):
        model = HRM(config.model, spec)
    assert model.puzzles is not None and model.puzzles.rows.is_meta
    assert memory(config, model, costs(config.model, spec))["puzzle_table"] == 0
