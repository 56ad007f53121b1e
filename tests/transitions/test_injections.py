"""How sources enter an update."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hrmlab.attention import Context, Place
from hrmlab.errors import ConfigError
from hrmlab.transitions import Concat, CrossAttention, Gate, InjectionConfig, Joint

MakePlace = Callable[..., Place]
BOTH = ("high", "input")


@pytest.fixture
def tensors() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    state, level, puzzle = torch.randn(3, 2, 16, 16).unbind()
    return state, level, puzzle


def injected(
    part: InjectionConfig, place: Place, *tensors: Tensor, sources: tuple[str, ...] = ("high", "input")
) -> Any:
    module = part.build(Joint(place, "low", sources))
    state, *given = tensors
    return module, module(state, given, Context())


def test_a_combination_begins_as_the_sum(make_place: MakePlace, tensors: tuple[Tensor, ...]) -> None:
    _, x = injected(Concat(), make_place(), *tensors)
    torch.testing.assert_close(x, sum(tensors[1:], start=tensors[0]))


def test_gates_begin_half_open_and_close(make_place: MakePlace, tensors: tuple[Tensor, ...]) -> None:
    state, level, puzzle = tensors
    gate, x = injected(Gate(), make_place(), *tensors)
    torch.testing.assert_close(x, state + (level + puzzle) / 2)
    with torch.no_grad():
        gate.gates[0].bias.fill_(-30.0)
        gate.gates[1].bias.fill_(30.0)
    torch.testing.assert_close(gate(state, [level, puzzle], Context()), state + puzzle)


def test_what_is_read_across_levels_begins_at_nothing(make_place: MakePlace, tensors: tuple[Tensor, ...]) -> None:
    state, level, puzzle = tensors
    cross, x = injected(CrossAttention(), make_place(), *tensors)
    torch.testing.assert_close(x, state + puzzle)
    with torch.no_grad():
        cross.out.weight.normal_()
        before = cross(state, [level, puzzle], Context())
        moved = level.clone()
        moved[:, 5] += 1.0
        after = cross(state, [moved, puzzle], Context())
    changed = (after - before).abs().amax(dim=(0, 2)) > 1e-6
    assert changed.all()  # one cell of the other level is seen by all cells of this one


def test_a_mask_says_what_may_be_read(make_place: MakePlace, tensors: tuple[Tensor, ...]) -> None:
    state, level, puzzle = tensors
    cross, _ = injected(CrossAttention(), make_place(), *tensors)
    itself = Context(mask=torch.eye(16, dtype=torch.bool))
    with torch.no_grad():
        cross.out.weight.normal_()
        before = cross(state, [level, puzzle], itself)
        moved = level.clone()
        moved[:, 5] += 1.0
        changed = (cross(state, [moved, puzzle], itself) - before).abs().amax(dim=(0, 2)) > 1e-6
    assert changed.nonzero().flatten().tolist() == [5]


def test_a_row_that_reads_the_input_alone_is_a_sum(make_place: MakePlace, tensors: tuple[Tensor, ...]) -> None:
    cross, x = injected(CrossAttention(), make_place(), tensors[0], tensors[2], sources=("input",))
    torch.testing.assert_close(x, tensors[0] + tensors[2])
    assert not list(cross.parameters())


def test_states_of_symbols_cannot_be_read_across(make_place: MakePlace) -> None:
    with pytest.raises(ConfigError, match="use 'gate' or 'concat'"):
        CrossAttention().build(Joint(make_place(symbols=True), "low", ("high",)))
