"""Which optimiser holds which parameters, with which settings."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.core.matrices import named_matrices
from hrmlab.core.model import HRM
from hrmlab.embeddings import PuzzleConfig
from hrmlab.spec import TaskSpec
from hrmlab.training.adam_atan2 import AdamAtan2
from hrmlab.training.muon import Muon
from hrmlab.training.optimisers import AdamAtan2Config, AdamW, MuonConfig, OptimiserConfig, build_optimisers


@pytest.fixture
def model(make_model: Callable[..., HRM], make_spec: Callable[..., TaskSpec]) -> HRM:
    return make_model(make_spec(), puzzle=PuzzleConfig(width=16))


def held(optimiser: torch.optim.Optimizer) -> list[int]:
    return [id(p) for group in optimiser.param_groups for p in group["params"]]


@pytest.mark.parametrize("rest", [AdamW(), AdamAtan2Config()])
def test_muon_takes_the_networks_matrices_and_the_rest_goes_to_the_other_each_exactly_once(
    model: HRM, rest: OptimiserConfig
):
    muon, other = build_optimisers(MuonConfig(rest=rest), model)
    matrices = {id(p) for _, p in named_matrices(model)}
    assert isinstance(muon, Muon) and set(held(muon)) == matrices
    everything = held(muon) + held(other)
    assert sorted(everything) == sorted(id(p) for p in model.parameters())
    assert {id(model.embedding.tokens), id(model.embedding.answer.weight)} <= set(held(other))


@pytest.mark.parametrize(
    ("config", "kind", "settings"),
    [
        (
            AdamW(lr=0.5, betas=(0.1, 0.2), weight_decay=0.3),
            torch.optim.AdamW,
            {"betas": (0.1, 0.2), "weight_decay": 0.3},
        ),
        (
            AdamAtan2Config(lr=0.5, betas=(0.1, 0.2), weight_decay=0.3),
            AdamAtan2,
            {"betas": (0.1, 0.2), "weight_decay": 0.3},
        ),
        (MuonConfig(lr=0.5, momentum=0.1, weight_decay=0.3), Muon, {"momentum": 0.1, "weight_decay": 0.3}),
    ],
)
def test_settings_reach_the_optimiser_and_the_peak_rate_is_remembered(
    model: HRM, config: OptimiserConfig, kind: type, settings: dict
):
    optimiser = build_optimisers(config, model)[0]
    assert isinstance(optimiser, kind)
    for group in optimiser.param_groups:
        assert group["lr"] == group["peak_lr"] == 0.5
        assert {name: group[name] for name in settings} == settings


def test_every_group_of_every_optimiser_has_its_own_peak(model: HRM):
    muon, other = build_optimisers(MuonConfig(lr=0.02, rest=AdamW(lr=0.003)), model)
    assert muon.param_groups[0]["peak_lr"] == 0.02 and other.param_groups[0]["peak_lr"] == 0.003
