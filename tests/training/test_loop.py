"""A training step: who gets which puzzle, what is measured, and that the host waits for the device once at most."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from hrmlab.core.act import Objective
from hrmlab.core.model import HRM
from hrmlab.halting import Fixed, HaltingConfig, QLearning
from hrmlab.presets import preset
from hrmlab.tasks.base import Examples
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer

SLOTS, PUZZLES = 5, 40
READS = {"cpu", "item", "tolist", "nonzero", "__bool__", "__int__", "__float__", "__index__", "unique"}
WAITS = {"aten::nonzero", "aten::_local_scalar_dense", "aten::masked_select", "aten::_unique2", "aten::unique_dim"}


class Calls(TorchFunctionMode):
    """Notes what Python code asks of tensors that a device would have to finish for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in READS:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


class Operations(TorchDispatchMode):
    """Notes operations whose result has a shape or a value that only the device knows."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name
        masks = name in ("aten::index", "aten::index_put_") and any(
            index is not None and index.dtype == torch.bool for index in args[1]
        )
        if name in WAITS or masks:
            self.seen.append(name)
        return func(*args, **(kwargs or {}))


def waits(work: Callable[[], object]) -> list[str]:
    with Calls() as calls, Operations() as operations:
        work()
    return calls.seen + operations.seen


def trainer(halting: HaltingConfig) -> Trainer:
    config = preset("sudoku-4x4").make()
    size = replace(config.model.size, width=8, layers=1)
    config = replace(
        config,
        model=replace(config.model, size=size),
        halting=halting,
        training=replace(config.training, batch_size=SLOTS, engine="eager", steps=100, seconds=None),
    )
    spec = config.task.spec()
    tokens = np.arange(PUZZLES * spec.seq_len, dtype=np.int32).reshape(PUZZLES, -1) % spec.vocab_size
    tokens[:, 0] = np.arange(PUZZLES) % spec.vocab_size
    names = np.zeros(PUZZLES, dtype=np.int32)
    feeder = Feeder(Examples(tokens, tokens[:, ::-1].copy(), names, names.astype(np.int64)), 0)
    torch.manual_seed(0)
    return Trainer(config, HRM(config.model, spec), feeder)


def at_work(run: Trainer, halted: list[bool], steps: list[int]) -> None:
    run.carry = replace(run._refilled(), halted=torch.tensor(halted), steps=torch.tensor(steps, dtype=torch.int32))


HALTED = [True, False, True, False, False]


@pytest.mark.parametrize(
    "halting", [QLearning(max_segments=4, exploration=1.0), QLearning(max_segments=4, redraw=True), Fixed()]
)
def test_a_step_fetches_from_the_device_once(halting: HaltingConfig) -> None:
    run = trainer(halting)
    at_work(run, HALTED, [2, 1, 4, 1, 2])
    assert waits(run._refilled) == ["cpu"]
    run.carry = run._refilled()
    run.step()  # the engine is chosen here
    engine = run.engine
    assert engine is not None
    assert waits(lambda: run._measure(run._segment(engine, 1)[1])) == []


@pytest.mark.parametrize(
    ("work", "seen"),
    [
        (lambda x: x[x > 0], "aten::index"),
        (lambda x: float(x.sum()), "aten::_local_scalar_dense"),
        (lambda x: x.nonzero(), "aten::nonzero"),
        (lambda x: x.cpu(), "cpu"),
    ],
)
def test_what_would_wait_is_noted(work: Callable[[Tensor], object], seen: str) -> None:
    assert seen in waits(lambda: work(torch.ones(3)))


def test_free_slots_take_the_next_puzzles_and_the_others_keep_theirs() -> None:
    run = trainer(QLearning(max_segments=4, exploration=1.0))
    at_work(run, HALTED, [2, 1, 4, 1, 2])
    before, twin = run.carry, Feeder(run.feeder.examples, 0)
    twin.restore(run.feeder.state())
    after = run._refilled()
    inputs, labels, _ = twin.take(2)
    assert after.batch.inputs[[0, 2]].tolist() == inputs.tolist()
    assert after.batch.labels[[0, 2]].tolist() == labels.tolist()
    busy = [1, 3, 4]
    assert torch.equal(after.batch.inputs[busy], before.batch.inputs[busy])
    assert torch.equal(after.first_allowed[busy], before.first_allowed[busy])
    assert after.steps.tolist() == [0, 1, 0, 1, 2] and not after.halted.any()
    assert set(after.first_allowed[[0, 2]].tolist()) <= {2, 3, 4}


def test_a_policy_that_redraws_draws_for_every_slot() -> None:
    run = trainer(QLearning(max_segments=16, exploration=1.0, redraw=True))
    at_work(run, [False] * SLOTS, [1] * SLOTS)
    drawn = {tuple(run._refilled().first_allowed.tolist()) for _ in range(4)}
    assert len(drawn) == 4


def test_measures_are_of_the_puzzles_that_were_finished() -> None:
    run = trainer(Fixed())
    at_work(run, HALTED, [2, 1, 4, 1, 2])
    exact = torch.tensor([True, True, False, False, True])
    for loss in (10.0, 20.0):
        total = torch.tensor(loss)
        run._measure(Objective(total, {"answer": total}, exact.float(), exact))
    assert run.measures() == {
        "loss/answer": 30.0 / (2 * SLOTS), "loss": 30.0 / (2 * SLOTS), "finished": 4.0, "exact": 0.5, "segments": 3.0,
    }  # fmt: skip
    assert run.measures() == {}


def test_steps_that_do_not_look_ahead_lack_a_term_and_sums_go_on() -> None:
    run = trainer(QLearning(max_segments=4, target_every=3))
    for _ in range(7):  # of steps 0 to 6, three look ahead
        run.step()
    assert run._measures is not None and run._measures.steps == 7
    measured = run.measures()
    assert measured["loss/q_continue"] > 0 and measured["loss/q_halt"] > 0
