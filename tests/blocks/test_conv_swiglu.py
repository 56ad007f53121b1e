"""URM's feed-forward layer against torch's convolution."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from hrmlab.attention import Context
from hrmlab.blocks import ConvSwiGLU, Place
from hrmlab.blocks.conv_swiglu import ConvolvedSwiGLU
from hrmlab.core.matrices import is_matrix
from hrmlab.errors import ConfigError


def product(mlp: ConvolvedSwiGLU, x: Tensor) -> Tensor:
    gate, up = mlp.gate_up(x).chunk(2, -1)
    return F.silu(gate) * up


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_it_is_urms_formula(kernel: int) -> None:
    """Padded by kernel // 2 on both sides and cut to the length, as the released code does."""
    mlp, x = ConvolvedSwiGLU(16, 24, kernel), torch.randn(3, 7, 16)
    mixed = F.conv1d(product(mlp, x).mT, mlp.taps, mlp.bias, padding=kernel // 2, groups=24)[..., :7].mT
    torch.testing.assert_close(mlp(x), mlp.down(F.silu(mixed)))


def test_a_kernel_that_reads_the_position_alone_leaves_swiglu_and_one_more_silu() -> None:
    mlp, x = ConvolvedSwiGLU(16, 24, 2), torch.randn(3, 7, 16)
    with torch.no_grad():
        mlp.bias.zero_()
        mlp.taps.copy_(torch.tensor([0.0, 1.0]).expand(24, 1, 2))
    torch.testing.assert_close(mlp(x), mlp.down(F.silu(product(mlp, x))))


def test_of_two_taps_a_position_reads_the_one_before_it() -> None:
    mlp, x = ConvolvedSwiGLU(16, 24, 2), torch.randn(1, 7, 16)
    changed = x.clone()
    changed[:, 3] += 1
    assert (mlp(x) != mlp(changed)).any(-1)[0].nonzero().flatten().tolist() == [3, 4]


def test_the_block_normalises_after_each_addition(make_place: Callable[..., Place]) -> None:
    block, x = ConvSwiGLU(eps=1e-3).build(make_place()), torch.randn(2, 16, 16)

    def norm(x: Tensor) -> Tensor:
        return x / (x.square().mean(-1, keepdim=True) + 1e-3).sqrt()

    middle = norm(x + block.attention(x, Context()))
    torch.testing.assert_close(block(x, Context()), norm(middle + block.mlp(middle)))


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_leading_positions_see_as_far_ahead_as_the_kernel(make_place: Callable[..., Place], kernel: int) -> None:
    block, x = ConvSwiGLU(kernel=kernel).build(make_place()), torch.randn(2, 16, 16)
    for count in (1, 15, 16):
        torch.testing.assert_close(block.leading(x, Context(), count), block(x, Context())[:, :count])


def test_taps_are_no_matrix_for_optimisers_that_turn_matrices() -> None:
    assert not is_matrix("networks.high.blocks.0.mlp.taps", ConvolvedSwiGLU(16, 24, 2).taps)


def test_no_taps_are_refused(make_place: Callable[..., Place]) -> None:
    with pytest.raises(ConfigError, match="kernel=0; wanted 1 or more"):
        ConvSwiGLU(kernel=0).build(make_place())
