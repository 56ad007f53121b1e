"""TRM's attention-free block mixes over positions, then over the width."""

from collections.abc import Callable

import torch

from hrmlab.attention import Context
from hrmlab.blocks import MLPMixer, Place, Size
from hrmlab.spec import TaskSpec


def test_mixer_mixes_positions_and_normalises_over_them_then_the_width(make_spec: Callable[..., TaskSpec], tiny: Size):
    block = MLPMixer(eps=1e-3).build(Place(tiny, make_spec(), 18, 2, False))
    x = torch.randn(2, 18, 16)

    def norm(x: torch.Tensor, dim: int) -> torch.Tensor:
        return x / (x.square().mean(dim, keepdim=True) + 1e-3).sqrt()

    middle = norm(x + block.across(x.mT).mT, dim=1)
    torch.testing.assert_close(block(x, Context()), norm(middle + block.within(middle), dim=2))


def test_mixer_weights_follow_the_number_of_positions(make_spec: Callable[..., TaskSpec], tiny: Size):
    block = MLPMixer().build(Place(tiny, make_spec(), 18, 2, False))
    assert block.across.down.weight.shape == (18, 24)  # 2 * 18 * 2 / 3 = 24, a multiple of 8
    assert block.within.down.weight.shape == (16, 24)
