"""Adapters: nothing at first, W + BA later, on any block."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from hrmlab.attention import Context
from hrmlab.blocks import BLOCKS, BlockConfig, LowRank, MLPMixer, Place, PostNorm, PreNorm
from hrmlab.blocks.low_rank import AdaptedLinear
from hrmlab.config import override
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.errors import ConfigError
from hrmlab.training.optimisers import MuonConfig, build_optimisers

OTHERS = [entry for entry in BLOCKS if entry.name != "low_rank"]


@pytest.mark.parametrize("entry", OTHERS, ids=lambda entry: entry.name)
def test_it_starts_as_the_adapted_block_with_its_names(make_place: Callable[..., Place], entry: Any) -> None:
    place = make_place()
    torch.manual_seed(3)
    plain = entry.config().build(place)
    adapted = LowRank(block=entry.config()).build(place)
    new = adapted.load_state_dict(plain.state_dict(), strict=False)
    assert not new.unexpected_keys and all(name.endswith((".reduce", ".expand")) for name in new.missing_keys)
    x = torch.randn(2, 16, 16)
    assert torch.equal(adapted(x, Context()), plain(x, Context()))


def test_a_map_becomes_its_matrix_plus_a_product_of_that_rank(make_place: Callable[..., Place], awake: Any) -> None:
    adapted, plain = LowRank(rank=3).build(make_place()), PostNorm().build(make_place())
    awake(adapted)
    maps = {name: module for name, module in adapted.named_modules() if isinstance(module, AdaptedLinear)}
    assert maps.keys() == {"attention.qkv", "attention.out", "mlp.gate_up", "mlp.down"}
    with torch.no_grad():
        for name, module in maps.items():
            change = module.expand @ module.reduce
            assert torch.linalg.matrix_rank(change) == 3
            plain.get_submodule(name).weight.copy_(module.weight + change)
    x = torch.randn(2, 16, 16)
    torch.testing.assert_close(adapted(x, Context()), plain(x, Context()), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(adapted.leading(x, Context(), 2), plain.leading(x, Context(), 2), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("frozen", [True, False])
def test_the_adapted_weights_learn_only_if_they_may(make_place: Callable[..., Place], awake: Any, frozen: bool) -> None:
    adapted = awake(LowRank(frozen=frozen).build(make_place()))
    adapted(torch.randn(2, 16, 16), Context()).square().mul(torch.randn(16)).sum().backward()
    learnt = {name for name, parameter in adapted.named_parameters() if parameter.grad is not None}
    assert {name for name in learnt if name.endswith(("reduce", "expand"))} != set()
    assert any(name.endswith("weight") for name in learnt) == (not frozen)


def test_frozen_weights_are_given_to_no_optimiser(make_spec: Any, make_model: Callable[..., HRM]) -> None:
    model = make_model(make_spec(), block=LowRank())
    for config in (MuonConfig(), MuonConfig().rest):
        groups = [group for optimiser in build_optimisers(config, model) for group in optimiser.param_groups]
        held = {id(parameter) for group in groups for parameter in group["params"]}
        assert held == {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    assert model.parameter_count() == sum(p.numel() for p in model.parameters() if p.requires_grad)
    outside = [p for name, p in model.named_parameters() if not name.startswith("networks.")]
    assert all(parameter.requires_grad for parameter in outside)


def test_it_closes_a_network_as_its_block_does(make_place: Callable[..., Place]) -> None:
    assert LowRank().finish(make_place()) is None
    assert type(LowRank(block=PreNorm()).finish(make_place())) is type(PreNorm().finish(make_place()))


def test_the_adapted_block_is_chosen_by_name(make_spec: Any, make_model: Callable[..., HRM]) -> None:
    config: ModelConfig = make_model(make_spec()).config
    changes = ["block=low_rank", "block.block=mlp_mixer", "block.block.eps=0.5", "block.rank=2"]
    assert override(config, changes).block == LowRank(block=MLPMixer(eps=0.5), rank=2)


def test_what_cannot_be_adapted_is_refused(make_place: Callable[..., Place]) -> None:
    class Nothing(BlockConfig):
        kind = "nothing"

        def build(self, place: Place) -> nn.Module:
            return nn.Identity()

    with pytest.raises(ConfigError, match="rank=0; wanted 1 or more"):
        LowRank(rank=0).build(make_place())
    with pytest.raises(ConfigError, match="block 'nothing' has no linear map"):
        LowRank(block=Nothing()).build(make_place())
