"""Compiling is a convenience: where it fails, the eager model answers, and what is wrong with a call stays wrong."""

import logging
from collections.abc import Callable

import pytest
import torch

from hrmlab.core import compiling
from hrmlab.core.carry import Batch
from hrmlab.core.compiling import compiled, compiled_if_possible
from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec
from hrmlab.training.config import TrainingConfig
from hrmlab.training.loop import COMPILING_PAYS, _forward
from hrmlab.training.optimisers import AdamW


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
    monkeypatch.setattr(compiling.torch, "compile", lambda model, dynamic: fails)
    return calls


def test_without_a_compiler_it_is_refused_or_left_out(model: HRM, no_compiler: None) -> None:
    with pytest.raises(ConfigError, match="compile=false"):
        compiled(model)
    assert compiled_if_possible(model) is model


def test_a_failing_compiler_leaves_the_eager_model(
    model: HRM, batch: Batch, broken: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    forward = compiled_if_possible(model)
    states = model.empty_carry(batch).states
    with caplog.at_level(logging.WARNING):
        first, second = forward(states, batch), forward(states, batch)
    wanted = model(states, batch).logits
    assert torch.equal(first.logits, wanted) and torch.equal(second.logits, wanted)
    assert len(broken) == 1
    assert "Python.h" in caplog.text and "compilation terminated" not in caplog.text


def test_what_is_wrong_with_the_call_is_raised(model: HRM, batch: Batch, broken: list[int]) -> None:
    with pytest.raises(KeyError):
        compiled_if_possible(model)({}, batch)


def test_auto_compiles_only_runs_that_are_long_enough(model: HRM, broken: list[int]) -> None:
    def forward(**fields: float | int) -> object:
        return _forward(TrainingConfig(optimiser=AdamW(), compile="auto", **fields), model)

    assert forward(seconds=COMPILING_PAYS - 1) is model and forward(steps=10**6) is model
    assert forward(seconds=COMPILING_PAYS) is not model


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, while it imports its compiler
@pytest.mark.skipif(not compiling.shutil.which("g++"), reason="needs a C++ compiler: install g++")
def test_the_compiled_model_computes_the_same_and_its_gradients_too(model: HRM, batch: Batch) -> None:
    states = model.empty_carry(batch).states
    wanted = model(states, batch).logits
    wanted.square().sum().backward()
    gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    came = compiled(model)(states, batch).logits
    torch.testing.assert_close(came, wanted, rtol=1e-4, atol=1e-5)
    came.square().sum().backward()
    for name, parameter in model.named_parameters():
        if name in gradients:
            torch.testing.assert_close(parameter.grad, gradients[name], rtol=1e-3, atol=1e-4, msg=name)
