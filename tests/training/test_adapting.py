"""A vector alone is fitted; nothing else moves."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.embeddings import PuzzleConfig
from hrmlab.errors import ConfigError
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.spec import TaskSpec
from hrmlab.training.adapting import begin_at, fit

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]


def test_the_loss_falls_and_the_weights_stay(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    spec = make_spec()
    model, batch = make_model(spec, puzzle=PuzzleConfig(width=32, init_std=1.0)), make_batch(spec, 3)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    start = begin_at(model, "mean")
    told: list[tuple[float, float]] = []
    fitted = fit(
        model, batch, start, SoftmaxCrossEntropy(), segments=2, lr=0.3, passes=12, seconds=None,
        progress=lambda share, loss: told.append((share, loss)),
    )  # fmt: skip
    assert fitted.losses[1] < fitted.losses[0] and not torch.equal(fitted.vector, start)
    assert fitted.passes == 12 and told[-1] == (1.0, fitted.losses[1])
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in model.parameters())


def test_where_a_fit_begins(make_model: MakeModel, make_spec: MakeSpec) -> None:
    model = make_model(make_spec(), puzzle=PuzzleConfig(width=32, init_std=1.0))
    rows = model.puzzles.rows
    assert torch.equal(begin_at(model, "blank"), rows[0])
    torch.testing.assert_close(begin_at(model, "mean"), rows[1:].mean(0))
    with pytest.raises(ConfigError, match="no puzzle vectors to adapt"):
        begin_at(make_model(make_spec()), "mean")


def test_seconds_end_it(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    spec = make_spec()
    model = make_model(spec, puzzle=PuzzleConfig(width=32))
    fitted = fit(
        model, make_batch(spec, 1), begin_at(model, "blank"), SoftmaxCrossEntropy(), segments=1, lr=0.1, passes=None,
        seconds=0.2,
    )  # fmt: skip
    assert fitted.passes >= 1
