"""Linear attention against the matrix of its own weights."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from hrmlab.attention import Context, LinearAttention, Place
from hrmlab.layers import Rotation, rotation
from hrmlab.spec import TaskSpec

LOWER = torch.ones(16, 16, dtype=torch.bool).tril()
KEYS = torch.arange(16) < 11


def quadratic(module: nn.Module, x: Tensor, context: Context, mask: Tensor) -> Tensor:
    q, k, v = module.prepared(*module.projected(x), context)
    weights = ((F.elu(q) + 1) @ (F.elu(k) + 1).mT) * mask
    mixed = (weights / weights.sum(-1, keepdim=True)) @ v
    return module.out(mixed.transpose(1, 2).flatten(2))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (None, torch.ones(16, 16)),
        (LOWER, LOWER),
        (KEYS[None], KEYS.expand(16, 16)),
        (KEYS.view(1, 1, 1, 16), KEYS[None]),
    ],
    ids=["none", "pairs", "keys", "keys of a batch"],
)
@pytest.mark.parametrize("turned", [None, rotation(16, 8, 100.0)], ids=["plain", "rotary"])
def test_it_is_the_quadratic_form(
    make_place: Callable[..., Place], given: Tensor | None, meant: Tensor, turned: Rotation | None
) -> None:
    module, x = LinearAttention().build(make_place()), torch.randn(3, 16, 16)
    context = Context(turned, given)
    torch.testing.assert_close(module(x, context), quadratic(module, x, context, meant), atol=1e-5, rtol=1e-5)


def test_a_query_that_may_see_nothing_reads_nothing(make_place: Callable[..., Place]) -> None:
    module, mask = LinearAttention().build(make_place()), LOWER.clone()
    mask[3] = False
    assert not module(torch.randn(2, 16, 16), Context(mask=mask))[:, 3].any()


def test_operations_grow_with_the_positions(make_place: Callable[..., Place]) -> None:
    spent = []
    for cells in (10, 40):
        module = LinearAttention().build(make_place(TaskSpec(seq_len=cells, vocab_size=3)))
        with FlopCounterMode(display=False) as found:
            module(torch.randn(1, cells, 16), Context())
        spent.append(found.get_total_flops())
    assert spent[1] == 4 * spent[0]
