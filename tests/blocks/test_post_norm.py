"""HRM's block is two additions, each normalised."""

from collections.abc import Callable

import torch

from hrmlab.attention import Context
from hrmlab.blocks import Place, PostNorm, Size
from hrmlab.spec import TaskSpec


def test_post_norm_adds_then_normalises_twice(make_spec: Callable[..., TaskSpec], tiny: Size):
    block = PostNorm(eps=1e-3).build(Place(tiny, make_spec(), 16, 0, False))
    x = torch.randn(2, 16, 16)

    def norm(x: torch.Tensor) -> torch.Tensor:
        return x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt()

    middle = norm(x + block.attention(x, Context()))
    torch.testing.assert_close(block(x, Context()), norm(middle + block.mlp(middle)))


def test_the_feed_forward_width_follows_the_size(make_spec: Callable[..., TaskSpec]):
    size = Size(width=24, heads=2, expansion=3, round_to=10)
    block = PostNorm().build(Place(size, make_spec(), 16, 0, False))
    assert block.mlp.down.weight.shape == (24, 50)  # 3 * 24 * 2 / 3 = 48, rounded up to tens
