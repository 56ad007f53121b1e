"""Attention and feed-forward side by side."""

from collections.abc import Callable

import torch

from hrmlab.attention import Context
from hrmlab.blocks import Parallel, Place


def test_both_parts_read_the_same_state_and_are_added_at_once(make_place: Callable[..., Place]) -> None:
    block, x = Parallel(eps=1e-3).build(make_place()), torch.randn(2, 16, 16)
    total = x + block.attention(x, Context()) + block.mlp(x)
    want = total / (total.square().mean(-1, keepdim=True) + 1e-3).sqrt()
    torch.testing.assert_close(block(x, Context()), want)
