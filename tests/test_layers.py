"""Shared layers against their formulas."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.layers import Linear, SwiGLU, feed_forward_width, rotate, rotation, truncated_normal_


@pytest.mark.parametrize("std", [0.02, 1.0, 3.0])
def test_truncated_normal_has_the_deviation_asked_for_and_is_cut_at_two_of_the_uncut_one(std: float):
    drawn = truncated_normal_(torch.empty(200_000), std)
    assert drawn.std().item() == pytest.approx(std, rel=0.01)
    assert drawn.mean().item() == pytest.approx(0, abs=0.01 * std)
    uncut = std / 0.8796256610342398  # deviation of a unit normal cut at two: tables
    assert drawn.abs().max().item() == pytest.approx(2 * uncut, rel=1e-3)


def test_truncated_normal_of_no_deviation_is_zero_and_fills_in_place():
    tensor = torch.ones(3)
    assert truncated_normal_(tensor, 0) is tensor
    assert torch.equal(tensor, torch.zeros(3))


def test_linear_is_a_product_and_starts_with_the_inverse_root_of_its_inputs():
    layer = Linear(256, 300)
    x = torch.randn(2, 256)
    torch.testing.assert_close(layer(x), x @ layer.weight.T)
    assert layer.bias is None
    assert layer.weight.std().item() == pytest.approx(1 / 16, rel=0.02)


def test_linear_bias_starts_at_zero_and_is_added():
    layer = Linear(4, 3, bias=True, std=0.0)
    assert torch.equal(layer(torch.randn(2, 4)), torch.zeros(2, 3))
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([1.0, 2.0, 3.0]))
    assert torch.equal(layer(torch.randn(1, 4)), torch.tensor([[1.0, 2.0, 3.0]]))


def test_linear_keeps_float32_weights_and_answers_in_the_dtype_of_its_input():
    layer = Linear(4, 3, bias=True)
    out = layer(torch.randn(2, 4, dtype=torch.bfloat16))
    out.float().sum().backward()
    assert out.dtype == torch.bfloat16
    assert layer.weight.dtype == layer.weight.grad.dtype == torch.float32


def test_feed_forward_width_of_the_reference_size():
    assert feed_forward_width(512, 4, 256) == 1536


@given(width=st.integers(1, 600), expansion=st.floats(0.5, 8), multiple=st.integers(1, 300))
def test_feed_forward_width_is_the_smallest_multiple_that_is_large_enough(width: int, expansion: float, multiple: int):
    hidden, wanted = feed_forward_width(width, expansion, multiple), round(expansion * width * 2 / 3)
    assert hidden % multiple == 0
    assert wanted <= hidden < wanted + multiple


def test_swiglu_gates_the_second_half_with_the_first():
    layer = SwiGLU(6, 10)
    x = torch.randn(3, 6)
    gate, up = layer.gate_up.weight[:10], layer.gate_up.weight[10:]
    expected = (F.silu(x @ gate.T) * (x @ up.T)) @ layer.down.weight.T
    torch.testing.assert_close(layer(x), expected)


def test_rotation_angles_are_position_times_frequency():
    cos, sin = rotation(7, 4, theta=100.0)
    for position in range(7):
        angles = torch.tensor([position / 100 ** (0 / 4), position / 100 ** (2 / 4)] * 2)
        torch.testing.assert_close(cos[position], angles.cos())
        torch.testing.assert_close(sin[position], angles.sin())


def test_rotate_turns_the_pairs_half_a_head_apart():
    angle = 0.3
    table = (torch.full((1, 4), math.cos(angle)), torch.full((1, 4), math.sin(angle)))
    x = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 1, 4)
    a, b, c, d = 1.0, 2.0, 3.0, 4.0
    cos, sin = math.cos(angle), math.sin(angle)
    expected = torch.tensor([a * cos - c * sin, b * cos - d * sin, c * cos + a * sin, d * cos + b * sin])
    torch.testing.assert_close(rotate(x, table).flatten(), expected)


@given(shift=st.integers(0, 8), first=st.integers(0, 5), second=st.integers(0, 5))
def test_rotated_products_depend_on_the_distance_alone(shift: int, first: int, second: int):
    table = rotation(16, 8, theta=50.0)
    generator = torch.Generator().manual_seed(1)
    q, k = (rotate(torch.randn(8, generator=generator).expand(1, 16, 1, 8), table)[0, :, 0] for _ in range(2))
    torch.testing.assert_close(q[first] @ k[second], q[first + shift] @ k[second + shift], atol=1e-4, rtol=1e-4)


def test_rotate_leaves_position_zero_and_lengths_alone_and_keeps_the_dtype():
    x = torch.randn(2, 5, 3, 8)
    turned = rotate(x, rotation(5, 8, 10000.0))
    assert torch.equal(turned[:, 0], x[:, 0])
    torch.testing.assert_close(turned.norm(dim=-1), x.norm(dim=-1))
    assert not torch.allclose(turned[:, 1:], x[:, 1:])
    assert rotate(x.bfloat16(), rotation(5, 8, 10000.0)).dtype == torch.bfloat16
