"""Costs counted without numbers are those of a real step, and those of the papers' formulas."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from hrmlab.blocks import PostNorm
from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.cost import costs
from hrmlab.core.model import HRM
from hrmlab.core.schedules import SingleState, TRMSchedule
from hrmlab.halting import Correctness, QLearning
from hrmlab.layers import feed_forward_width
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.spec import TaskSpec

Make = Callable[..., Any]


def test_a_transformer_block_costs_what_its_formula_says(make_spec: Make, make_model: Make) -> None:
    model = make_model(make_spec())
    size, cells = model.config.size, 16
    hidden = feed_forward_width(size.width, size.expansion, size.round_to)
    products = cells * size.width * (4 * size.width + 3 * hidden) + 2 * cells * cells * size.width
    call = costs(model.config, model.spec).networks["low"]
    assert call.forward == 2 * products
    assert call.backward == 2 * call.forward


@pytest.mark.parametrize("symbols", [False, True])
@pytest.mark.parametrize("schedule", [None, TRMSchedule(high_cycles=2, low_cycles=2), SingleState(cycles=3)])
def test_a_step_costs_what_its_parts_do(
    make_spec: Make, make_model: Make, make_batch: Make, start: Make, symbols: bool, schedule: Any
) -> None:
    model: HRM = make_model(make_spec(), symbols=symbols, **({"schedule": schedule} if schedule else {}))
    batch: Batch = make_batch(model.spec, 1)
    carry: Carry = start(model, batch)
    counted = costs(model.config, model.spec)
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as found:
        step = segment(model, carry, Correctness())
        objective(step, SoftmaxCrossEntropy(), Correctness()).total.backward()
    unused = found.get_total_flops() - counted.learning(model.schedule)
    assert abs(unused) <= 0.02 * counted.learning(model.schedule)


def test_a_look_ahead_costs_a_segment(make_spec: Make, make_model: Make, make_batch: Make, start: Make) -> None:
    model: HRM = make_model(make_spec())
    carry = start(model, make_batch(model.spec, 1))
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as with_look, torch.enable_grad():
        segment(model, carry, QLearning())
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as without:
        segment(model, carry, Correctness())
    look = with_look.get_total_flops() - without.get_total_flops()
    assert 0 < look <= costs(model.config, model.spec).segment(model.schedule)


@pytest.mark.parametrize("symbols", [False, True])
def test_bytes_kept_are_those_that_autograd_keeps(
    make_spec: Make, make_model: Make, make_batch: Make, symbols: bool
) -> None:
    model: HRM = make_model(make_spec(3, 3), symbols=symbols)
    x = model.embed(make_batch(model.spec, 1))[0].detach().requires_grad_()
    network = next(iter(model.networks.values()))
    own = {p.untyped_storage().data_ptr() for p in (*network.parameters(), *network.buffers())}
    kept: dict[int, Tensor] = {}

    def note(tensor: Tensor) -> Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = network(x, model.context())
    assert result.requires_grad
    want = sum(tensor.untyped_storage().nbytes() for place, tensor in kept.items() if place not in own)
    assert next(iter(costs(model.config, model.spec).networks.values())).saved == want


def test_attention_keeps_no_square_of_the_positions(make_spec: Make, make_model: Make) -> None:
    small, large = make_spec(2, 2), make_spec(4, 4)
    assert isinstance(make_model(small).config.block, PostNorm)
    config = make_model(small).config
    kept = [costs(config, spec).networks["low"].saved for spec in (small, large)]
    assert kept[1] == kept[0] * large.seq_len // small.seq_len


def test_more_layers_cost_more_in_proportion(make_spec: Make, make_model: Make) -> None:
    spec: TaskSpec = make_spec()
    config = make_model(spec).config
    deep = replace(config, size=replace(config.size, layers=3))
    assert costs(deep, spec).networks["low"].forward == 3 * costs(config, spec).networks["low"].forward
