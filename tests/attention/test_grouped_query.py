"""Heads of queries that share keys and values."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.attention import SDPA, Context, GroupedQuery, Place
from hrmlab.errors import ConfigError
from hrmlab.layers import rotation

CONTEXTS = (Context(), Context(rotation(16, 4, 100.0)), Context(mask=torch.ones(16, 16).tril().bool()))


@pytest.mark.parametrize("shared_by", [1, 2, 4])
@pytest.mark.parametrize("context", CONTEXTS, ids=["plain", "rotary", "masked"])
def test_it_is_sdpa_with_the_shared_weights_written_out(
    make_place: Callable[..., Place], shared_by: int, context: Context
) -> None:
    place = make_place(heads=4)
    module, plain, x = GroupedQuery(shared_by=shared_by).build(place), SDPA().build(place), torch.randn(2, 16, 16)
    queries, keys, values = module.qkv.weight.split((16, 16 // shared_by, 16 // shared_by))

    def for_each_head(weight: torch.Tensor) -> torch.Tensor:
        return weight.unflatten(0, (-1, 4)).repeat_interleave(shared_by, 0).flatten(0, 1)

    with torch.no_grad():
        plain.qkv.weight.copy_(torch.cat((queries, for_each_head(keys), for_each_head(values))))
        plain.out.weight.copy_(module.out.weight)
    torch.testing.assert_close(module(x, context), plain(x, context))


def test_groups_that_do_not_divide_the_heads_are_refused(make_place: Callable[..., Place]) -> None:
    for shared_by in (3, 0):
        with pytest.raises(ConfigError, match=f"4 heads cannot share keys {shared_by} by {shared_by}; choose"):
            GroupedQuery(shared_by=shared_by).build(make_place(heads=4))
