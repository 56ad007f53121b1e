"""What holds for every optimiser, on a tiny model of each kind."""

import copy
from collections.abc import Callable

import pytest
import torch

from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM
from hrmlab.embeddings import PuzzleConfig
from hrmlab.halting import Correctness
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.registry import Entry
from hrmlab.spec import TaskSpec
from hrmlab.training.optimisers import OPTIMISERS, build_optimisers

every_optimiser = pytest.mark.parametrize("entry", list(OPTIMISERS), ids=lambda entry: entry.name)
Build, Train = Callable[..., HRM], Callable[..., list[float]]


@pytest.fixture(scope="session")
def build(make_model: Callable[..., HRM], make_spec: Callable[..., TaskSpec]) -> Build:
    return lambda symbols=False: make_model(
        make_spec(), symbols=symbols, puzzle=None if symbols else PuzzleConfig(width=16)
    )


@pytest.fixture(scope="session")
def train(make_batch: Callable[..., Batch], start: Callable[[HRM, Batch], Carry]) -> Train:
    def steps(model: HRM, optimisers: list[torch.optim.Optimizer], count: int) -> list[float]:
        batch, losses = make_batch(model.spec, 4), []
        for _ in range(count):
            step = segment(model, start(model, batch), Correctness())
            goal = objective(step, SoftmaxCrossEntropy(), Correctness())
            goal.total.backward()
            losses.append(goal.total.item())
            for optimiser in optimisers:
                optimiser.step()
                optimiser.zero_grad()
        return losses

    return steps


def weights(model: HRM) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


@every_optimiser
@pytest.mark.parametrize("symbols", [False, True])
def test_it_holds_every_parameter_exactly_once_and_no_buffer(build: Build, entry: Entry, symbols: bool):
    model = build(symbols)
    held = [id(p) for o in build_optimisers(entry.config(), model) for g in o.param_groups for p in g["params"]]
    assert sorted(held) == sorted(id(p) for p in model.parameters())


@every_optimiser
def test_every_group_remembers_its_peak_rate(build: Build, entry: Entry):
    for optimiser in build_optimisers(entry.config(), build()):
        assert all(group["peak_lr"] == group["lr"] > 0 for group in optimiser.param_groups)


@every_optimiser
@pytest.mark.parametrize("symbols", [False, True])
def test_a_step_moves_every_parameter_and_leaves_buffers(build: Build, train: Train, entry: Entry, symbols: bool):
    model = build(symbols)
    before, buffers = weights(model), {name: b.clone() for name, b in model.named_buffers()}
    train(model, build_optimisers(entry.config(), model), 1)
    for name, weight in weights(model).items():
        assert weight.isfinite().all() and not torch.equal(weight, before[name]), name
    assert all(torch.equal(buffer, buffers[name]) for name, buffer in model.named_buffers())


@every_optimiser
def test_it_lowers_the_loss_of_puzzles_seen_again_and_again(build: Build, train: Train, entry: Entry):
    model = build()
    losses = train(model, build_optimisers(entry.config(), model), 15)
    assert losses[-1] < losses[0]


@every_optimiser
def test_a_rate_of_zero_changes_nothing(build: Build, train: Train, entry: Entry):
    model = build()
    before, optimisers = weights(model), build_optimisers(entry.config(), model)
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = 0.0
    train(model, optimisers, 2)
    assert all(torch.equal(weight, before[name]) for name, weight in weights(model).items())


@every_optimiser
def test_training_is_deterministic(build: Build, train: Train, entry: Entry):
    one, same = build(), build()
    losses = [train(model, build_optimisers(entry.config(), model), 3) for model in (one, same)]
    assert losses[0] == losses[1]
    assert all(torch.equal(weight, weights(same)[name]) for name, weight in weights(one).items())


@every_optimiser
def test_a_saved_state_goes_on_bitwise(build: Build, train: Train, entry: Entry):
    straight = build()
    optimisers = build_optimisers(entry.config(), straight)
    train(straight, optimisers, 2)
    resumed = copy.deepcopy(straight)
    restored = build_optimisers(entry.config(), resumed)
    for fresh, saved in zip(restored, optimisers, strict=True):
        fresh.load_state_dict(copy.deepcopy(saved.state_dict()))
    assert train(straight, optimisers, 2) == train(resumed, restored, 2)
    assert all(torch.equal(weight, weights(resumed)[name]) for name, weight in weights(straight).items())
