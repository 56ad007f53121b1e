"""The sandwich: norm, part, addition, norm."""

from collections.abc import Callable

import torch
from torch import Tensor

from hrmlab.attention import Context
from hrmlab.blocks import Place, PostNorm, Sandwich

GAINS = ("before_attention", "after_attention", "before_mlp", "after_mlp")


def test_it_is_its_formula(make_place: Callable[..., Place]) -> None:
    block, x = Sandwich(eps=1e-3).build(make_place()), 3 * torch.randn(2, 16, 16)
    with torch.no_grad():
        for name in GAINS:
            getattr(block, name).normal_(1, 0.3)

    def norm(x: Tensor, name: str) -> Tensor:
        return x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt() * getattr(block, name)

    middle = norm(x + block.attention(norm(x, "before_attention"), Context()), "after_attention")
    want = norm(middle + block.mlp(norm(middle, "before_mlp")), "after_mlp")
    torch.testing.assert_close(block(x, Context()), want)


def test_on_a_normalised_state_it_starts_as_post_norm(make_place: Callable[..., Place]) -> None:
    block, plain = Sandwich().build(make_place()), PostNorm(eps=1e-6).build(make_place())
    plain.load_state_dict({name: part for name, part in block.state_dict().items() if name not in GAINS})
    x = torch.randn(2, 16, 16).sign()
    torch.testing.assert_close(block(x, Context()), plain(x, Context()), atol=1e-5, rtol=1e-5)
