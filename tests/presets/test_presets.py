"""Every preset is a run that could start: it decodes, builds, and its model fits its task."""

import pytest
import torch

from hrmlab.config import decode, encode, override
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import Correctness, QLearning
from hrmlab.losses import StablemaxCrossEntropy
from hrmlab.presets import PRESETS, preset
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import AdamAtan2Config, build_optimisers

everyone = pytest.mark.parametrize("name", sorted(PRESETS))


@everyone
def test_it_survives_a_round_trip_through_json(name: str) -> None:
    config = preset(name).make()
    assert config.name == name
    assert decode(RunConfig, encode(config)) == config


@everyone
def test_its_model_and_optimisers_build(name: str) -> None:
    config = preset(name).make()
    with torch.device("meta"):
        model = HRM(config.model, config.task.spec())
    optimisers = build_optimisers(config.training.optimiser, model)
    held = sum(p.numel() for o in optimisers for group in o.param_groups for p in group["params"])
    assert held == model.parameter_count()


@everyone
def test_it_has_a_summary_a_source_and_a_budget(name: str) -> None:
    entry, config = preset(name), preset(name).make()
    assert entry.summary and entry.source
    assert config.training.seconds or config.training.steps
    assert config.training.checkpoint_every, "a run that is killed must have something to go on from"
    assert config.evaluation.max_segments >= config.halting.max_segments


@everyone
def test_a_preset_without_its_own_data_says_how_to_make_them(name: str) -> None:
    assert bool(preset(name).make().data.path) == bool(preset(name).data)


@pytest.mark.parametrize("name", [n for n in sorted(PRESETS) if not preset(n).data])
def test_what_runs_on_a_cpu_is_small(name: str) -> None:
    config = preset(name).make()
    with torch.device("meta"):
        assert HRM(config.model, config.task.spec()).parameter_count() < 500_000


@pytest.mark.parametrize(
    ("name", "millions", "updates", "with_gradient", "steps"),
    [
        ("hrm-sudoku-extreme", 27.3, 6, 2, 26041),
        ("hrm-maze-hard", 27.3, 6, 2, 26041),
        ("trm-sudoku-extreme", 6.8, 21, 7, 65104),
        ("trm-mlp-sudoku-extreme", 5.0, 21, 7, 65104),
        ("trm-maze-hard", 6.8, 15, 5, 65104),
        ("hrm-arc-1", 27.3, 6, 2, 401171),
        ("hrm-arc-2", 27.3, 6, 2, 607682),
        ("trm-arc-1", 6.8, 15, 5, 401171),
        ("trm-arc-2", 6.8, 15, 5, 607682),
    ],
)
def test_the_reference_runs_are_as_published(
    name: str, millions: float, updates: int, with_gradient: int, steps: int
) -> None:
    config = preset(name).make()
    with torch.device("meta"):
        model = HRM(config.model, config.task.spec())
    assert round(model.parameter_count() / 1e6, 1) == millions
    assert len(model.schedule.updates) == updates
    assert sum(model.schedule.grad_calls().values()) == with_gradient
    training = config.training
    decay, puzzle_lr = (0.1, 1e-2) if "arc" in name else (1.0, 1e-4)
    assert training.optimiser == AdamAtan2Config(lr=1e-4, betas=(0.9, 0.95), weight_decay=decay)
    assert (training.puzzle_lr, training.puzzle_weight_decay) == (puzzle_lr, decay)
    assert (training.batch_size, training.warmup_steps, training.decay, training.steps) == (
        768,
        2000,
        "constant",
        steps,
    )
    assert isinstance(config.loss, StablemaxCrossEntropy)
    assert isinstance(config.halting, QLearning if name.startswith("hrm") else Correctness)
    assert training.ema == (None if name.startswith("hrm") else 0.999)
    assert model.embedding.slots == (1 if name.startswith("hrm") else 16)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'sudoku-9x9'"):
        preset("sudoku9x9")


def test_a_preset_may_be_overridden() -> None:
    config = override(preset("sudoku-4x4").make(), ["model.size.width=16", "halting.max_segments=3"])
    assert (config.model.size.width, config.halting.max_segments) == (16, 3)
