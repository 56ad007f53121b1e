"""Softmax attention against the formula, head by head."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from hrmlab.attention import SDPA, Context, Place, Size
from hrmlab.errors import ConfigError
from hrmlab.layers import rotate, rotation
from hrmlab.spec import TaskSpec

WIDTH, HEADS, PLACES = 16, 4, 6
TABLE = rotation(PLACES, WIDTH // HEADS, 100.0)


def place(heads: int) -> Place:
    return Place(Size(width=WIDTH, heads=heads), TaskSpec(seq_len=PLACES, vocab_size=4), PLACES, 0, False)


@pytest.fixture
def attention() -> nn.Module:
    torch.manual_seed(3)
    return SDPA().build(place(HEADS))


def by_hand(attention: nn.Module, x: Tensor, turn: Callable[[Tensor], Tensor], mask: Tensor | None = None) -> Tensor:
    q, k, v = (x @ weight.T for weight in attention.qkv.weight.chunk(3))
    heads, head_width = [], WIDTH // HEADS
    for h in range(HEADS):
        one = slice(h * head_width, (h + 1) * head_width)
        scores = turn(q[..., one]) @ turn(k[..., one]).mT / head_width**0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf)
        heads.append(scores.softmax(-1) @ v[..., one])
    return torch.cat(heads, -1) @ attention.out.weight.T


def turn(x: Tensor) -> Tensor:
    return rotate(x[:, :, None], TABLE)[:, :, 0]


def test_attention_is_the_formula_without_positions(attention: nn.Module):
    x = torch.randn(2, PLACES, WIDTH)
    torch.testing.assert_close(attention(x, Context()), by_hand(attention, x, lambda part: part))


def test_rotary_angles_turn_queries_and_keys_but_not_values(attention: nn.Module):
    x = torch.randn(2, PLACES, WIDTH)
    torch.testing.assert_close(attention(x, Context(rotation=TABLE)), by_hand(attention, x, turn))


def test_a_mask_hides_keys_from_queries(attention: nn.Module):
    x, mask = torch.randn(2, PLACES, WIDTH), torch.ones(PLACES, PLACES).tril().bool()
    masked = attention(x, Context(mask=mask))
    torch.testing.assert_close(masked, by_hand(attention, x, lambda part: part, mask))
    changed = torch.cat((x[:, :3], torch.randn(2, PLACES - 3, WIDTH)), dim=1)
    torch.testing.assert_close(attention(changed, Context(mask=mask))[:, :3], masked[:, :3])


def test_without_positions_moving_the_inputs_moves_the_outputs(attention: nn.Module):
    x, order = torch.randn(2, PLACES, WIDTH), torch.randperm(PLACES)
    torch.testing.assert_close(attention(x[:, order], Context()), attention(x, Context())[:, order])


def test_heads_that_do_not_divide_the_width_are_refused():
    with pytest.raises(ConfigError, match="width 16 cannot be split over 3 heads; choose heads that divide it"):
        SDPA().build(place(3))
