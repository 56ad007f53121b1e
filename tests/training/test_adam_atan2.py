"""Adam-atan2 against its formula in float64, written in numpy."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hrmlab.errors import ConfigError
from hrmlab.training import adam_atan2
from hrmlab.training.adam_atan2 import AdamAtan2


def by_hand(start: np.ndarray, grads: list[np.ndarray], lr: float, betas: tuple[float, float], wd: float) -> np.ndarray:
    p, m, v = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for t, g in enumerate(grads, start=1):
        p = p * (1 - lr * wd)
        m = betas[0] * m + (1 - betas[0]) * g
        v = betas[1] * v + (1 - betas[1]) * g * g
        p = p - lr / (1 - betas[0] ** t) * np.arctan2(m, np.sqrt(v) / np.sqrt(1 - betas[1] ** t))
    return p


@settings(max_examples=12)
@given(
    lr=st.floats(1e-5, 0.1),
    betas=st.tuples(st.floats(0, 0.99), st.floats(0, 0.999)),
    wd=st.floats(0, 1),
    scale=st.sampled_from([1e-8, 1e-3, 1.0, 1e4]),
)
def test_ten_steps_equal_the_formula_in_float64(lr: float, betas: tuple[float, float], wd: float, scale: float):
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(3, 4)), rng.normal(size=5)]
    grads = [[rng.normal(size=s.shape) * scale for s in starts] for _ in range(10)]
    params = [torch.nn.Parameter(torch.from_numpy(s.copy())) for s in starts]
    optimiser = AdamAtan2(params, lr, betas, wd)
    for step in grads:
        for p, g in zip(params, step, strict=True):
            p.grad = torch.from_numpy(g.copy())
        optimiser.step()
    for i, p in enumerate(params):
        wanted = by_hand(starts[i], [step[i] for step in grads], lr, betas, wd)
        np.testing.assert_allclose(p.detach().numpy(), wanted, rtol=1e-9, atol=1e-12)


def test_the_first_step_is_an_eighth_of_a_turn_towards_minus_the_gradient_whatever_its_scale():
    """m = (1 - b1) g and sqrt(v) / sqrt(1 - b2) = |g|: the first moment is not corrected inside atan2."""
    p = torch.nn.Parameter(torch.zeros(3, dtype=torch.float64))
    p.grad = torch.tensor([1e-12, -1.0, 1e12], dtype=torch.float64)
    AdamAtan2([p], lr=0.01, betas=(0.9, 0.95), weight_decay=0.0).step()
    step = 0.01 / 0.1 * np.arctan2(0.1, 1.0)
    torch.testing.assert_close(p.detach(), torch.tensor([-step, step, -step], dtype=torch.float64))


def test_a_parameter_without_gradient_stays_and_keeps_its_own_count_of_steps():
    early, late = (torch.nn.Parameter(torch.ones(2, dtype=torch.float64)) for _ in range(2))
    optimiser = AdamAtan2([early, late], lr=0.1, weight_decay=0.5)
    early.grad = torch.ones_like(early)
    optimiser.step()
    assert torch.equal(late.detach(), torch.ones(2, dtype=torch.float64))
    late.grad = torch.ones_like(late)
    optimiser.step()
    wanted = by_hand(np.ones(2), [np.ones(2)], 0.1, (0.9, 0.95), 0.5)
    np.testing.assert_allclose(late.detach().numpy(), wanted)


def test_groups_have_their_own_rates():
    still, moving = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimiser = AdamAtan2([{"params": [still], "lr": 0.0}, {"params": [moving]}], lr=0.1)
    still.grad, moving.grad = torch.ones(2), torch.ones(2)
    optimiser.step()
    assert torch.equal(still.detach(), torch.ones(2)) and not torch.equal(moving.detach(), torch.ones(2))


def test_a_saved_state_goes_on_bitwise():
    torch.manual_seed(0)
    grads = torch.randn(8, 4, 3)

    def run(p: torch.nn.Parameter, optimiser: AdamAtan2, some: torch.Tensor) -> None:
        for g in some:
            p.grad = g.clone()
            optimiser.step()

    straight = torch.nn.Parameter(torch.ones(4, 3))
    optimiser = AdamAtan2([straight], lr=0.01)
    run(straight, optimiser, grads[:4])
    resumed = torch.nn.Parameter(straight.detach().clone())
    restored = AdamAtan2([resumed], lr=0.5)
    restored.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    run(straight, optimiser, grads[4:])
    run(resumed, restored, grads[4:])
    assert torch.equal(straight, resumed)


@pytest.mark.parametrize("wrong", [{"lr": -1.0}, {"weight_decay": -0.1}, {"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}])
def test_settings_that_cannot_work_are_refused(wrong: dict):
    with pytest.raises(ConfigError, match=r"adam_atan2 wants lr >= 0, weight_decay >= 0, betas in \[0, 1\)"):
        AdamAtan2([torch.nn.Parameter(torch.ones(1))], **wrong)


def test_parts_of_any_size_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for together in (1, 20, 10**6):
        monkeypatch.setattr(adam_atan2, "TOGETHER", together)
        generator = torch.Generator().manual_seed(0)
        params = [torch.randn(n, generator=generator).requires_grad_() for n in (3, 17, 5, 8)]
        optimiser = AdamAtan2(params, lr=0.01)
        for _ in range(3):
            for p in params:
                p.grad = torch.randn(p.shape, generator=generator)
            optimiser.step()
        found.append(torch.cat([p.detach() for p in params]))
    assert torch.equal(found[0], found[1]) and torch.equal(found[0], found[2])
