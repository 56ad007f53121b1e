"""Overrides of single networks, by their names."""

import pytest

from hrmlab.attention import Gated, RelationalHeads
from hrmlab.blocks import MLPMixer, PostNorm, PreNorm
from hrmlab.core.networks import NetworkConfig
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig
from hrmlab.training.overrides import override_run


@pytest.fixture(scope="module")
def run() -> RunConfig:
    return preset("hrm-sudoku-extreme").make()


def test_a_network_by_its_name(run: RunConfig) -> None:
    changed = override_run(run, ["high.layers=6", "low.heads=4", "high.blocks[2].attention=relational"])
    assert changed.model.networks == {
        "high": NetworkConfig(layers=6, blocks={2: PostNorm(attention=RelationalHeads())}),
        "low": NetworkConfig(heads=4),
    }
    assert override_run(
        run, [f"model.networks.{word}" for word in ("high.layers=6", "low.heads=4")]
    ).model.networks == {
        "high": NetworkConfig(layers=6),
        "low": NetworkConfig(heads=4),
    }


def test_what_is_not_said_begins_as_it_is(run: RunConfig) -> None:
    words = ["high.block=pre_norm", "high.block.eps=0.5", "high.attention=gated", "high.blocks.1.eps=0.25"]
    high = override_run(run, words).model.networks["high"]
    assert high.block == PreNorm(attention=Gated(), eps=0.5)
    assert high.blocks == {1: PreNorm(attention=Gated(), eps=0.25)}
    assert override_run(run, ["low.attention=gated"]).model.networks["low"].block == PostNorm(attention=Gated())
    again = override_run(run, ["low.blocks[0]=mlp_mixer", "low.blocks[0].eps=0.5"])
    assert again.model.networks["low"].blocks == {0: MLPMixer(eps=0.5)}


def test_names_are_those_of_the_schedule_so_far(run: RunConfig) -> None:
    changed = override_run(
        run, ["model.schedule=levels", "level2.layers=1", "training.steps=7", "training.seconds=null"]
    )
    assert changed.model.networks == {"level2": NetworkConfig(layers=1)}
    assert (changed.training.steps, changed.training.seconds) == (7, None)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("hihg.layers=6", "unknown key 'hihg'"),
        ("model.networks.hihg.layers=6", "unknown network 'hihg'; did you mean 'high'"),
        ("high.layer=6", "unknown key 'layer'; did you mean 'layers'"),
        ("high.blocks[9].eps=1", "network 'high' has no block 9: it has 4, counted from 0; set high.layers=10 first"),
        ("high.blocks[1].attention=relatonal", "did you mean 'relational'"),
        ("high.blocks[x].eps=1", "unknown key"),
        (f"high.blocks.{'9' * 5000}.eps=1", "unknown key"),
    ],
)
def test_mistakes_are_named(run: RunConfig, word: str, said: str) -> None:
    with pytest.raises(ConfigError) as found:
        override_run(run, [word])
    assert said in str(found.value)
