"""The start is the run itself, and every point of the space is a model that can be built and trained."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.core.model import HRM
from hrmlab.core.schedules import HRMSchedule
from hrmlab.presets import PRESETS, preset
from hrmlab.studies.tuning.space import Choice, Space, Value, Whole, configured, space_of, start_of
from hrmlab.training.optimisers import AdamW, MuonConfig, build_optimisers

BASES = {name: preset(name).make() for name in ("sudoku-4x4", "hrm-sudoku-6x6", "maze-9x9", "trm-maze-hard")}
SPACES = {name: space_of(base) for name, base in BASES.items()}


@st.composite
def points(draw: st.DrawFn, space: Space) -> dict[str, Value]:
    point: dict[str, Value] = {}
    for name, dimension in space.items():
        if isinstance(dimension, Choice):
            point[name] = draw(st.sampled_from(dimension.values))
        elif isinstance(dimension, Whole):
            point[name] = draw(st.integers(0, (dimension.high - dimension.low) // dimension.step)) * dimension.step
            point[name] += dimension.low
        else:
            point[name] = draw(st.floats(dimension.low, dimension.high))
    return point


@pytest.mark.parametrize("name", PRESETS)
def test_the_start_is_the_preset_itself_and_lies_in_the_space(name: str) -> None:
    base = preset(name).make()
    space = space_of(base)
    start = start_of(space)
    assert configured(base, space, start) == base
    for key, dimension in space.items():
        if isinstance(dimension, Choice):
            assert start[key] in dimension.values
        elif isinstance(dimension, Whole):
            assert dimension.low <= dimension.start <= dimension.high
            assert (dimension.start - dimension.low) % dimension.step == 0
            assert (dimension.high - dimension.low) % dimension.step == 0


@pytest.mark.parametrize("name", BASES)
@settings(max_examples=8)
@given(data=st.data())
def test_every_point_is_a_model_with_an_optimiser(name: str, data: st.DataObject) -> None:
    base = BASES[name]
    config = configured(base, SPACES[name], data.draw(points(SPACES[name])))
    with torch.device("meta"):
        model = HRM(config.model, config.task.spec())
    held = sum(len(g["params"]) for o in build_optimisers(config.training.optimiser, model) for g in o.param_groups)
    assert held == len(list(model.parameters()))
    assert config.evaluation.max_segments >= config.halting.max_segments
    assert (config.task, config.data, config.loss) == (base.task, base.data, base.loss)
    assert config.training.steps == base.training.steps and config.training.seconds == base.training.seconds


def test_what_is_moved_is_what_changes() -> None:
    base = BASES["sudoku-4x4"]
    space = SPACES["sudoku-4x4"]
    moved = configured(base, space, start_of(space) | {"schedule": "hrm", "cycles": 3, "slow_cycles": 4})
    assert moved == replace(base, model=replace(base.model, schedule=HRMSchedule(high_cycles=4, low_cycles=3)))
    faster = configured(base, space, start_of(space) | {"learning_rate": 2.0}).training.optimiser
    before = base.training.optimiser
    assert isinstance(faster, MuonConfig) and isinstance(before, MuonConfig)
    assert isinstance(faster.rest, AdamW) and isinstance(before.rest, AdamW)
    assert (faster.lr, faster.rest.lr) == (2 * before.lr, 2 * before.rest.lr)


def test_heads_divide_every_width() -> None:
    for space in SPACES.values():
        width, heads = space["width"], space["heads"]
        assert isinstance(width, Whole) and isinstance(heads, Choice)
        widths = range(width.low, width.high + 1, width.step)
        assert all(number % int(count) == 0 for number in widths for count in heads.values)
