"""The walk over the table equals the papers' loops, written out by hand."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from hrmlab.attention import Context
from hrmlab.blocks import Size
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import run
from hrmlab.core.schedules import HRMSchedule, Levels, ScheduleConfig, SingleState, TRMSchedule
from hrmlab.layers import rotation
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]


def context_of(model: HRM, batch: Batch) -> Context:
    size = model.config.size
    return Context(rotation(batch.inputs.shape[1], size.width // size.heads, 10000.0))


def random_states(model: HRM, batch: Batch) -> dict[str, Tensor]:
    shape = (*batch.inputs.shape, model.config.size.width)
    return {level: torch.randn(shape) for level in model.schedule.levels}


def hrm_by_hand(model: HRM, states: dict[str, Tensor], batch: Batch, high: int, low: int) -> tuple[Tensor, Tensor]:
    """Wang et al. 2025: all steps but the last of each level without gradient."""
    x, context = model.embed(batch)[0], context_of(model, batch)
    networks, z_high, z_low = model.networks, states["high"], states["low"]
    with torch.no_grad():
        for i in range(high):
            for j in range(low):
                if not (i == high - 1 and j == low - 1):
                    z_low = networks["low"](z_low + (z_high + x), context)
            if i != high - 1:
                z_high = networks["high"](z_high + z_low, context)
    z_low = networks["low"](z_low + (z_high + x), context)
    z_high = networks["high"](z_high + z_low, context)
    return z_high, z_low


def trm_by_hand(model: HRM, states: dict[str, Tensor], batch: Batch, high: int, low: int) -> tuple[Tensor, Tensor]:
    """Jolicoeur-Martineau 2025: whole cycles without gradient, then one with."""
    x, context = model.embed(batch)[0], context_of(model, batch)
    network, y, z = model.networks["high"], states["high"], states["low"]

    def cycle(y: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        for _ in range(low):
            z = network(z + (y + x), context)
        return network(y + z, context), z

    with torch.no_grad():
        for _ in range(high - 1):
            y, z = cycle(y, z)
    return cycle(y, z)


@settings(max_examples=6)
@given(high=st.integers(1, 3), low=st.integers(1, 3), kind=st.sampled_from(["hrm", "trm"]))
def test_a_segment_equals_the_papers_loop_bitwise_with_the_same_gradients(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, high: int, low: int, kind: str
):
    config, by_hand = {"hrm": (HRMSchedule, hrm_by_hand), "trm": (TRMSchedule, trm_by_hand)}[kind]
    spec = make_spec()
    model = make_model(spec, schedule=config(high_cycles=high, low_cycles=low))
    batch = make_batch(spec, 2)
    states = random_states(model, batch)

    def gradients(z_high: Tensor, z_low: Tensor) -> dict[str, Tensor]:
        model.zero_grad()
        weights = torch.linspace(-1, 1, z_high.numel()).view(z_high.shape)
        (model.embedding.logits(z_high).square().mean() + (weights * z_high).sum() + (weights * z_low).sum()).backward()
        return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}

    output = model(states, batch)
    ours = gradients(output.states["high"], output.states["low"])
    z_high, z_low = by_hand(model, states, batch, high, low)
    theirs = gradients(z_high, z_low)
    assert torch.equal(output.states["high"], z_high) and torch.equal(output.states["low"], z_low)
    assert ours.keys() == theirs.keys() >= {name for name, _ in model.named_parameters() if name.startswith("networks")}
    for name, gradient in ours.items():
        torch.testing.assert_close(gradient, theirs[name], rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("schedule", [HRMSchedule(), TRMSchedule(low_cycles=2), Levels(), SingleState()])
def test_the_observer_sees_every_row_in_order_and_changes_nothing_bitwise(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, schedule: ScheduleConfig
):
    spec = make_spec()
    model = make_model(spec, schedule=schedule)
    batch = make_batch(spec, 2)
    states, seen = random_states(model, batch), []
    watched = model(states, batch, lambda *what: seen.append(what), segment=3)
    alone = model(states, batch)
    rows = model.schedule.updates
    assert [(site, clock) for site, clock, _ in seen] == [(row.target, (3, i)) for i, row in enumerate(rows)]
    assert torch.equal(watched.logits, alone.logits) and torch.equal(watched.values, alone.values)
    for level, state in watched.states.items():
        assert torch.equal(state, alone.states[level])
        assert state is [tensor for site, _, tensor in seen if site == level][-1]


@pytest.mark.parametrize("schedule", [HRMSchedule(), TRMSchedule(low_cycles=2), SingleState(grad_window=1)])
def test_rows_without_gradient_leave_no_graph_and_rows_with_gradient_do(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, schedule: ScheduleConfig
):
    spec = make_spec()
    model = make_model(spec, schedule=schedule)
    batch = make_batch(spec, 1)
    graphs: list[bool] = []

    def watch(site: str, clock: tuple[int, int], state: Tensor) -> None:
        graphs.append(state.grad_fn is not None)

    model(random_states(model, batch), batch, watch)
    assert graphs == [update.grad for update in model.schedule.updates]
    graphs.clear()
    with torch.no_grad():
        model(random_states(model, batch), batch, watch)
    assert not any(graphs) and torch.is_grad_enabled()


def test_no_gradient_reaches_the_states_that_a_cut_segment_started_from(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
):
    spec = make_spec()
    model, batch = make_model(spec), make_batch(spec, 1)
    states = {level: state.requires_grad_() for level, state in random_states(model, batch).items()}
    goal = model(states, batch).logits.sum()
    assert torch.autograd.grad(goal, list(states.values()), allow_unused=True) == (None, None)


def test_sources_are_added_in_their_order_before_the_state(make_model: MakeModel, make_spec: MakeSpec):
    """In low precision (a + b) + c is not a + (b + c); the papers add z + (y + x)."""
    schedule = HRMSchedule(high_cycles=1, low_cycles=1).build()
    given: list[Tensor] = []

    def network(x: Tensor, context: Any) -> Tensor:
        given.append(x)
        return x

    low, high, x = (torch.tensor([v], dtype=torch.bfloat16) for v in (1.0, 256.0, 1.0))
    run(schedule, {"low": network, "high": network}, {"low": low, "high": high}, x, Context())
    assert given[0].item() == (low + (high + x)).item() != ((low + x) + high).item()


def test_the_states_handed_in_are_not_changed(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch):
    spec = make_spec()
    model, batch = make_model(spec, symbols=True), make_batch(spec, 2)
    states = {level: torch.randn(2, 16, 4, 16) for level in model.schedule.levels}
    before = {level: state.clone() for level, state in states.items()}
    with torch.no_grad():
        model(states, batch)
    assert all(torch.equal(states[level], before[level]) for level in before)


@pytest.mark.parametrize("symbols", [False, True])
def test_recomputing_changes_no_gradient_and_keeps_less(
    make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM], make_batch: Callable[..., Batch], symbols: bool
):
    model = make_model(make_spec(), symbols=symbols, size=Size(width=16, layers=3, heads=2, expansion=2, round_to=8))
    batch = make_batch(model.spec, 2)
    states = model.empty_carry(batch).states
    kept, grads = {}, {}
    for recompute in (False, True):
        model.recompute(recompute)
        seen: dict[int, torch.Tensor] = {}

        def note(tensor: torch.Tensor, seen: dict[int, torch.Tensor] = seen) -> torch.Tensor:
            seen[tensor.untyped_storage().data_ptr()] = tensor
            return tensor

        model.zero_grad()
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            output = model(states, batch)
        own = {p.untyped_storage().data_ptr() for p in model.parameters()}
        kept[recompute] = sum(tensor.nbytes for place, tensor in seen.items() if place not in own)
        (output.logits.square().sum() + output.values.sum()).backward()
        grads[recompute] = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    assert kept[True] < 0.5 * kept[False]
    assert grads[True].keys() == grads[False].keys()
    for name, grad in grads[False].items():
        torch.testing.assert_close(grads[True][name], grad, msg=name)
