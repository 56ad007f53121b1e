"""The gradient of a fixed point: against linear algebra, against long back-propagation, and inside a model."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from hrmlab.core.carry import Batch
from hrmlab.core.implicit import at_fixed_point
from hrmlab.core.model import HRM
from hrmlab.core.schedule import Schedule, Update
from hrmlab.core.schedules import HRMSchedule
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]


def contraction() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    matrix = torch.randn(6, 6, dtype=torch.double)
    matrix *= 0.5 / torch.linalg.matrix_norm(matrix, 2)
    return matrix, torch.randn(6, dtype=torch.double).requires_grad_(), torch.randn(6, dtype=torch.double)


def test_terms_lead_to_what_linear_algebra_says() -> None:
    """z = A z + b: dz/db is (I - A)^-1."""
    matrix, b, g = contraction()
    fixed = torch.linalg.solve(torch.eye(6, dtype=torch.double) - matrix, b.detach())
    wanted = torch.linalg.solve((torch.eye(6, dtype=torch.double) - matrix).T, g)
    errors = []
    for terms in (0, 1, 4, 60):
        z = at_fixed_point(lambda s: {"z": matrix @ s["z"] + b}, {"z": fixed}, terms)["z"]
        found = torch.autograd.grad(z @ g, b)[0]
        errors.append(float((found - wanted).norm() / wanted.norm()))
    assert errors[0] > errors[1] > errors[2] > errors[3] and errors[3] < 1e-12


def test_two_states_are_solved_together() -> None:
    """Gauss-Seidel updates of two states, as a low and a high level's: the same as back-propagation through many."""
    matrix, b, g = contraction()

    def f(states: dict[str, Tensor]) -> dict[str, Tensor]:
        low = torch.tanh(matrix @ (states["low"] + states["high"]) / 2 + b)
        return {"low": low, "high": torch.tanh(matrix @ (states["high"] + low) / 2)}

    states = {name: torch.zeros(6, dtype=torch.double) for name in ("low", "high")}
    with torch.no_grad():
        for _ in range(100):
            states = f(states)
    long = states
    for _ in range(60):
        long = f(long)
    wanted = torch.autograd.grad(long["high"] @ g, b)[0]
    found = torch.autograd.grad(at_fixed_point(f, states, 60)["high"] @ g, b)[0]
    torch.testing.assert_close(found, wanted, rtol=1e-9, atol=1e-12)


def test_a_state_that_is_not_updated_stays_as_it_is() -> None:
    states = {"moved": torch.ones(2), "held": torch.ones(2)}
    after = at_fixed_point(lambda s: s | {"moved": s["moved"] * 0.5 + s["held"]}, states, 2)
    assert after["held"].equal(states["held"]) and not after["held"].requires_grad and after["moved"].requires_grad


def grown(model: HRM, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
    states = model.empty_carry(batch).states
    output = model(states, batch)
    output.logits.square().sum().backward()
    assert all(state.isfinite().all() for state in output.states.values())
    return output.logits.detach(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def test_in_a_model_it_changes_gradients_and_nothing_else(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch
) -> None:
    spec = make_spec()
    batch = make_batch(spec, 3)
    plain, one = grown(make_model(spec), batch)
    same, more = grown(make_model(spec, schedule=HRMSchedule(neumann=3)), batch)
    assert plain.equal(same) and one.keys() == more.keys()
    head = "embedding.answer.weight"
    assert torch.allclose(one[head], more[head])  # the answer's head is outside the fixed point
    inside = [name for name in one if name.startswith("networks.")]
    assert inside and all(not torch.allclose(one[name], more[name]) for name in inside if one[name].ndim == 2)


def test_gradient_must_be_in_the_last_rows() -> None:
    rows = (Update("z", ("input",), "z", grad=True), Update("z", ("input",), "z", grad=False))
    with pytest.raises(ConfigError, match="wants it in the last"):
        Schedule(("z",), (*rows, Update("z", ("input",), "z")), "z", neumann=2)
    with pytest.raises(ConfigError, match="neumann=-1"):
        HRMSchedule(neumann=-1).build()


def test_it_is_told_and_costs_a_backward_pass_by_the_states_alone(make_model: MakeModel, make_spec: MakeSpec) -> None:
    from hrmlab.core.cost import costs

    spec = make_spec()
    plain, more = make_model(spec), make_model(spec, schedule=HRMSchedule(neumann=2))
    assert "by 2 more terms" in more.schedule.describe() and "more terms" not in plain.schedule.describe()
    cost = costs(plain.config, plain.spec)
    extra = cost.learning(more.schedule) - cost.learning(plain.schedule)
    assert extra == 2 * sum(cost.networks[name].through for name in ("low", "high"))
    assert 0 < cost.networks["low"].through < cost.networks["low"].backward
