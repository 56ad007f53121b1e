"""Compiling is a convenience: where it fails, the eager model answers, and what is wrong with a call stays wrong."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from hrmlab.blocks import Size
from hrmlab.core import compiling
from hrmlab.core.carry import Batch
from hrmlab.core.compiling import Compiled
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.core.schedules import HRMSchedule
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec


@pytest.fixture
def model(make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec())


@pytest.fixture
def batch(model: HRM, make_batch: Callable[..., Batch]) -> Batch:
    return make_batch(model.spec, 3)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """torch.compile whose compiler fails at the first call; counts its calls."""
    calls: list[int] = []

    def fails(*_: object, **__: object) -> None:
        calls.append(1)
        raise RuntimeError("fatal error: Python.h: No such file or directory\ncompilation terminated.")

    monkeypatch.setattr(compiling, "has_compiler", lambda model: True)
    monkeypatch.setattr(compiling.torch, "compile", lambda function, **options: fails)
    return calls


def test_without_a_compiler_it_is_refused_or_left_out(model: HRM, batch: Batch, no_compiler: None) -> None:
    with pytest.raises(ConfigError, match=r"training\.engine=eager"):
        Compiled(model)
    states = model.empty_carry(batch).states
    assert torch.equal(Compiled(model, forgiving=True)(states, batch).logits, model(states, batch).logits)


def test_a_failing_compiler_leaves_the_eager_model(
    model: HRM, batch: Batch, broken: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    engine = Compiled(model, forgiving=True)
    states = model.empty_carry(batch).states
    with caplog.at_level(logging.WARNING):
        first, second, ahead = engine(states, batch), engine(states, batch), engine.look_ahead(states, batch)
    wanted = model(states, batch).logits
    assert torch.equal(first.logits, wanted) and torch.equal(second.logits, wanted)
    assert torch.equal(ahead, model.look_ahead(states, batch))
    assert len(broken) == 2  # once for segments, once for looks ahead
    assert "Python.h" in caplog.text and "compilation terminated" not in caplog.text


def test_what_is_wrong_with_the_call_is_raised(model: HRM, batch: Batch, broken: list[int]) -> None:
    with pytest.raises(KeyError):
        Compiled(model, forgiving=True)({}, batch)


def test_with_an_observer_the_eager_model_answers(model: HRM, batch: Batch, broken: list[int]) -> None:
    seen: list[Any] = []
    Compiled(model)(model.empty_carry(batch).states, batch, lambda *what: seen.append(what), 3)
    assert not broken and {clock[0] for _, clock, _ in seen} == {3}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_recomputing_keeps_fewer_numbers_and_gives_the_same_gradients(
    make_spec: Callable[..., TaskSpec],
    make_model: Callable[..., HRM],
    make_batch: Callable[..., Batch],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is kept is decided before any code is generated, so that the test needs no C++ compiler."""
    compile_ = partial(torch.compile, backend="aot_eager_decomp_partition")
    monkeypatch.setattr(compiling, "has_compiler", lambda model: True)
    monkeypatch.setattr(compiling.torch, "compile", compile_)
    once = HRMSchedule(high_cycles=1, low_cycles=1)
    model = make_model(make_spec(), schedule=once, size=Size(width=8, layers=3, heads=1, round_to=8))
    batch = make_batch(model.spec, 8)
    states = model.empty_carry(batch).states
    kept: dict[bool, int] = {}
    for recompute in (False, True):
        model.recompute(recompute)
        gradients = []
        for engine in (Eager(model), Compiled(model)):
            output = engine(states, batch)
            if isinstance(engine, Compiled):
                kept[recompute] = saved(output.logits, model)
            (output.logits.square().mean() + output.values.sum()).backward()
            gradients.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
            model.zero_grad()
        for ours, wanted in zip(*gradients, strict=True):
            torch.testing.assert_close(ours, wanted, atol=Compiled.tolerance, rtol=Compiled.tolerance)
    assert kept[True] < kept[False] / 2


def saved(output: Tensor, model: HRM) -> int:
    """Bytes that the graph behind a compiled output keeps for its backward pass, the weights not counted."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    tensors: Any = output.grad_fn.saved_tensors  # type: ignore[union-attr]
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(count for place, count in storages.items() if place not in own)
