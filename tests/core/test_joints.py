"""Injections and retentions in a model: where they stand, whom they serve, what they cost."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from hrmlab.core.carry import Batch
from hrmlab.core.cost import costs
from hrmlab.core.matrices import named_matrices
from hrmlab.core.model import HRM
from hrmlab.core.networks import NetworkConfig
from hrmlab.embeddings import Rotary
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec
from hrmlab.transitions import Concat, CrossAttention, Damped, Gate

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]
LOW, HIGH = "low_from_high_input_by_low", "high_from_low_by_high"


def test_rows_that_do_the_same_share_theirs(make_model: MakeModel, make_spec: MakeSpec) -> None:
    model = make_model(make_spec(), injection=Gate(), retention=Damped())
    assert list(model.joints.injections) == list(model.joints.retentions) == [LOW, HIGH]
    assert [len(gate.gates) for gate in model.joints.injections.values()] == [2, 1]


def test_a_network_may_have_its_own(make_model: MakeModel, make_spec: MakeSpec) -> None:
    model = make_model(make_spec(), networks={"high": NetworkConfig(injection=Concat(), retention=Damped())})
    assert list(model.joints.injections) == list(model.joints.retentions) == [HIGH]


def test_a_model_without_has_no_trace_of_them(make_model: MakeModel, make_spec: MakeSpec) -> None:
    assert not [name for name in make_model(make_spec()).state_dict() if "joints" in name]


def test_a_combination_that_begins_as_the_sum_changes_nothing(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
) -> None:
    spec = make_spec()
    plain, combined = make_model(spec), make_model(spec, injection=Concat())
    combined.load_state_dict(plain.state_dict(), strict=False)
    batch = make_batch(spec, 2)
    states = plain.empty_carry(batch).states
    torch.testing.assert_close(combined(states, batch).logits, plain(states, batch).logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "parts",
    [
        {"injection": Gate()},
        {"injection": CrossAttention()},
        {"retention": Damped()},
        {"networks": {"low": NetworkConfig(width=24)}},
        {"networks": {"low": NetworkConfig(width=24, heads=4)}, "injection": Concat()},
        {"networks": {"low": NetworkConfig(heads=4)}, "injection": CrossAttention(), "positions": Rotary()},
    ],
)
def test_they_are_counted_as_they_compute(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, parts: dict[str, Any]
) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    spec = make_spec()
    model, batch = make_model(spec, **parts), make_batch(spec, 1)
    states = model.empty_carry(batch).states
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as spent:
        model(states, batch)
    assert costs(model.config, spec).segment(model.schedule) == spent.get_total_flops()


def test_their_matrices_are_for_matrix_optimisers(make_model: MakeModel, make_spec: MakeSpec) -> None:
    model = make_model(make_spec(), injection=Concat())
    assert [name for name, _ in named_matrices(model) if "joints" in name] == [
        f"joints.injections.{site}.project.weight" for site in (LOW, HIGH)
    ]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, while it imports its compiler
def test_a_segment_stays_one_graph(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    torch._dynamo.reset()
    spec = make_spec()
    model, batch = make_model(spec, injection=CrossAttention(), retention=Damped(learned=True)), make_batch(spec, 2)
    states = model.empty_carry(batch).states
    compiled = torch.compile(model.think, fullgraph=True, dynamic=False, backend="eager")
    found = compiled(states, batch.inputs, None)
    torch.testing.assert_close(found.logits, model.think(states, batch.inputs, None).logits)


def test_the_last_update_may_give_its_first_position_alone(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
) -> None:
    spec = make_spec()
    model, batch = make_model(spec, injection=Gate(), retention=Damped(share=0.3)), make_batch(spec, 2)
    states = model.empty_carry(batch).states
    torch.testing.assert_close(model.look_ahead(states, batch), model(states, batch).values.detach())


def test_levels_may_differ_in_width(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    spec = make_spec()
    model, batch = make_model(spec, networks={"low": NetworkConfig(width=24)}), make_batch(spec, 2)
    carry = model.empty_carry(batch)
    assert {level: state.shape[-1] for level, state in carry.states.items()} == {"high": 16, "low": 24}
    output = model(carry.states, batch)
    assert output.states["low"].shape[-1] == 24 and output.logits.isfinite().all()
    output.logits.sum().backward()
    maps = {name: p.grad for name, p in model.named_parameters() if "projections" in name}
    assert len(maps) == 3 and all(grad is not None and grad.ne(0).any() for grad in maps.values())


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"networks": {"high": NetworkConfig(width=24)}}, "level 'high', which the answer is read from, has width 24"),
        ({"networks": {"low": NetworkConfig(width=25)}}, "width 25 cannot be split over 2 heads"),
    ],
)
def test_widths_that_cannot_be_are_refused(
    make_model: MakeModel, make_spec: MakeSpec, parts: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        make_model(make_spec(), **parts)
