"""Registers are read as positions are."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.attention import SDPA, Context, Place, Registers
from hrmlab.errors import ConfigError
from hrmlab.layers import rotation


@pytest.mark.parametrize("masked", [False, True])
def test_it_is_softmax_over_positions_and_registers(make_place: Callable[..., Place], masked: bool) -> None:
    module, x = Registers(count=3).build(make_place()), torch.randn(2, 16, 16)
    mask = torch.ones(16, 16, dtype=torch.bool).tril() if masked else None
    q, k, v = (part.transpose(1, 2) for part in module.projected(x))
    scores = torch.cat((q @ k.mT, q @ module.keys.mT), -1) / 8**0.5
    if mask is not None:
        scores[..., :16] = scores[..., :16].masked_fill(~mask, -torch.inf)
    weights = scores.softmax(-1)
    read = weights[..., :16] @ v + weights[..., 16:] @ module.values
    torch.testing.assert_close(module(x, Context(mask=mask)), module.out(read.transpose(1, 2).flatten(2)))


def test_registers_that_no_query_likes_leave_sdpa(make_place: Callable[..., Place]) -> None:
    place = make_place()
    module, plain, x = Registers(count=1).build(place), SDPA().build(place), torch.rand(2, 16, 16)
    with torch.no_grad():
        module.qkv.weight[:16] = module.qkv.weight[:16].abs()  # so that all queries are positive
        module.keys.fill_(-1e4)
    plain.load_state_dict({name: part for name, part in module.state_dict().items() if name in plain.state_dict()})
    torch.testing.assert_close(module(x, Context()), plain(x, Context()))


def test_rotary_angles_leave_the_registers_alone(make_place: Callable[..., Place]) -> None:
    module, x = Registers().build(make_place()), torch.randn(1, 16, 16)
    keys = [module.prepared(*module.projected(x), context)[1] for context in (Context(), Context(rotation(16, 8, 9.0)))]
    assert torch.equal(keys[0][:, :, 16:], keys[1][:, :, 16:]) and not torch.allclose(keys[0], keys[1])


def test_no_registers_are_refused(make_place: Callable[..., Place]) -> None:
    with pytest.raises(ConfigError, match="count=0; wanted 1 or more"):
        Registers(count=0).build(make_place())
