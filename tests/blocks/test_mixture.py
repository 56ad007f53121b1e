"""Experts that choose their positions."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.attention import Context
from hrmlab.blocks import Mixture, Place, PostNorm
from hrmlab.blocks.mixture import Experts
from hrmlab.errors import ConfigError
from hrmlab.layers import SwiGLU


def test_one_expert_for_all_is_the_post_norm_block(make_place: Callable[..., Place]) -> None:
    block, plain = Mixture(experts=1).build(make_place()), PostNorm().build(make_place())
    state = {name.replace("experts.experts.0", "mlp"): part for name, part in block.state_dict().items()}
    plain.load_state_dict({name: part for name, part in state.items() if "router" not in name})
    x = torch.randn(2, 16, 16)
    torch.testing.assert_close(block(x, Context()), plain(x, Context()))


def test_each_expert_takes_the_positions_of_a_puzzle_that_suit_it_best() -> None:
    experts, x = Experts([SwiGLU(16, 8) for _ in range(3)], 16, places=4), torch.randn(2, 10, 16)
    affinity = experts.router(x).softmax(-1)
    want = torch.zeros_like(x)
    for puzzle in range(2):
        for at, expert in enumerate(experts.experts):
            for cell in affinity[puzzle, :, at].argsort(descending=True)[:4]:
                want[puzzle, cell] += affinity[puzzle, cell, at] * expert(x[puzzle, cell])
    torch.testing.assert_close(experts(x), want)


def test_all_experts_for_all_positions_are_a_weighted_mean() -> None:
    experts, x = Experts([SwiGLU(16, 8) for _ in range(3)], 16, places=5), torch.randn(2, 5, 16)
    answers = torch.stack([expert(x) for expert in experts.experts], -1)
    torch.testing.assert_close(experts(x), (answers * experts.router(x).softmax(-1)[..., None, :]).sum(-1))


@pytest.mark.parametrize(("experts", "taken", "places"), [(4, 1.0, 4), (4, 2.0, 8), (3, 1.0, 6), (5, 5.0, 16)])
def test_positions_are_shared_out_evenly(
    make_place: Callable[..., Place], experts: int, taken: float, places: int
) -> None:
    assert Mixture(experts=experts, taken=taken).build(make_place()).experts.places == places


def test_more_taken_than_there_are_experts_is_refused(make_place: Callable[..., Place]) -> None:
    for experts, taken in ((4, 5.0), (0, 1.0), (4, 0.0)):
        with pytest.raises(ConfigError, match=f"experts={experts} and taken={taken}; wanted"):
            Mixture(experts=experts, taken=taken).build(make_place())
