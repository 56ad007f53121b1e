"""A step of several segments: gradient flows from each into those before."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from hrmlab.api.inspection import inspect
from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Carry
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.halting import HALTING, Correctness, Fixed
from hrmlab.presets import preset
from hrmlab.tasks.base import Examples
from hrmlab.training.config import RunConfig
from hrmlab.training.engine import engine_of
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.overrides import override_run

SLOTS = 4


def config(window: int, *changes: str, halting: Any = None) -> RunConfig:
    run = override_run(preset("sudoku-4x4").make(), ["model.size.width=8", "model.schedule.cycles=2", *changes])
    training = replace(run.training, batch_size=SLOTS, engine="eager", steps=100, seconds=None, clip=None)
    training = replace(training, segments_per_step=window, ema=None)
    return replace(run, training=training, halting=halting or Fixed(max_segments=8))


def trainer(run: RunConfig) -> Trainer:
    spec = run.task.spec()
    tokens = np.random.default_rng(0).integers(2, spec.vocab_size, (40, spec.seq_len)).astype(np.int32)
    names = np.zeros(40, dtype=np.int32)
    torch.manual_seed(0)
    return Trainer(run, HRM(run.model, spec), Feeder(Examples(tokens, tokens, names, names.astype(np.int64)), 0))


def gradients(run: Trainer, monkeypatch: pytest.MonkeyPatch) -> dict[str, Tensor]:
    """Of one step, whose update is left out."""
    monkeypatch.setattr(run, "_update", lambda *_: None)
    run.step()
    return {name: p.grad.clone() for name, p in run.model.named_parameters() if p.grad is not None}


def by_hand(run: Trainer, window: int, *, cut: bool) -> dict[str, Tensor]:
    losses = []
    for _ in range(window):
        run.carry = run._refilled()
        states = {name: state.detach() if cut else state for name, state in run.carry.states.items()}
        step = segment(Eager(run.model), replace(run.carry, states=states), run.config.halting, attached=True)
        losses.append(objective(step, run.config.loss, run.config.halting).total)
        run.carry = step.carry
    (sum(losses) / (window * SLOTS)).backward()  # type: ignore[union-attr]
    return {name: p.grad.clone() for name, p in run.model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("window", [2, 3])
def test_gradient_flows_through_all_segments_of_a_step(window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found = gradients(trainer(config(window)), monkeypatch)
    through, cut = (by_hand(trainer(config(window)), window, cut=cut) for cut in (False, True))
    assert found.keys() == through.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, through[name], rtol=1e-5, atol=1e-7)
    assert any(not torch.allclose(found[name], cut[name], rtol=1e-3) for name in found)


def test_the_carry_is_cut_at_the_end_of_a_step_and_segments_are_counted() -> None:
    run = trainer(config(3))
    run.step()
    assert not any(state.requires_grad for state in run.carry.states.values())
    assert run.budget.step == 1 and run.carry.steps.tolist() == [3] * SLOTS


def test_slots_are_refilled_inside_a_step_and_no_gradient_crosses_to_another_puzzle() -> None:
    run = trainer(config(3, halting=Fixed(max_segments=1)))
    seen: list[Carry] = []
    original = run._refilled
    run._refilled = lambda: (seen.append(original()), seen[-1])[1]  # type: ignore[method-assign,func-returns-value]
    run.step()
    inputs = [carry.batch.inputs for carry in seen]
    assert len(inputs) == 3 and not inputs[0].equal(inputs[1]) and not inputs[1].equal(inputs[2])
    assert run.carry.steps.tolist() == [1] * SLOTS


def test_no_gradient_crosses_to_the_next_puzzle_of_a_slot() -> None:
    run = trainer(config(2, halting=Fixed(max_segments=1)))
    before = {level: torch.randn_like(state).requires_grad_() for level, state in run.carry.states.items()}
    run.carry = replace(run.carry, states=before, halted=torch.tensor([True, True, False, False]))
    state = run._refilled().states["state"]
    (gradient,) = torch.autograd.grad(state.sum(), before["state"])
    assert not gradient[:2].any() and gradient[2:].all()


def test_a_puzzle_table_learns_from_every_segment() -> None:
    run = trainer(config(2, "model.embedding=tokens", "model.block=post_norm", "model.puzzle.width=8"))
    before = run.model.puzzles.rows.clone()  # type: ignore[union-attr]
    run.step()
    assert not run.model.puzzles.rows.equal(before)  # type: ignore[union-attr]


@pytest.mark.parametrize("change", ["model.schedule.grad_window=1", "model.schedule.neumann=2"])
def test_a_schedule_that_cuts_gradient_is_refused_with_what_to_set(change: str) -> None:
    with pytest.raises(ConfigError, match=r"cuts it; set model\.schedule\.grad_window=2 model\.schedule\.neumann=0"):
        config(2, change)


def test_what_a_step_costs_grows_with_its_segments() -> None:
    one, three = (inspect("sudoku-4x4", [f"training.segments_per_step={window}"]) for window in (1, 3))
    assert three.flops["training_step"] == 3 * one.flops["training_step"]
    assert three.memory["activations"] == 3 * one.memory["activations"]


@pytest.mark.parametrize(("window", "neumann", "engine"), [(2, 0, "captured"), (1, 2, "compiled"), (1, 2, "captured")])
def test_engines_that_cannot_give_the_gradient_are_refused(window: int, neumann: int, engine: str) -> None:
    run = config(window, f"model.schedule.neumann={neumann}", halting=Correctness(max_segments=8))
    run = replace(run, training=replace(run.training, engine=engine))
    with pytest.raises(ConfigError, match=f"training.engine={engine} keeps no graph.*wanted one of eager, reference"):
        engine_of(run, trainer(run).model, lambda engine: None)


@pytest.mark.parametrize("entry", list(HALTING), ids=lambda entry: entry.name)
def test_no_policy_carries_a_graph_into_the_next_step(entry: Any) -> None:
    run = trainer(config(2, halting=entry.config()))
    for _ in range(2):
        run.step()
    held = [*run.carry.states.values(), *run.carry.memory.values()]
    assert not any(tensor.requires_grad for tensor in held)
