"""The averaged model follows the first and shares nothing with it."""

import pytest
import torch
from torch import nn

from hrmlab.training.ema import EMA


class Counted(nn.Module):
    """A weight, a float buffer, an integer buffer and a buffer that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3))
        self.register_buffer("table", torch.randn(2, 2))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("fixed", torch.ones(1), persistent=False)


@pytest.mark.parametrize("decay", [0.0, 0.9, 0.999])
def test_weights_and_float_buffers_are_averaged_and_counters_copied(decay: float):
    model = Counted()
    ema = EMA(model, decay)
    weight, table = model.weight.detach().double().clone(), model.table.double().clone()
    for step in range(1, 6):
        with torch.no_grad():
            model.weight.normal_()
            model.table.normal_()
            model.count.fill_(step)
        ema.update(model)
        weight = decay * weight + (1 - decay) * model.weight.detach().double()
        table = decay * table + (1 - decay) * model.table.double()
        torch.testing.assert_close(ema.model.weight.double(), weight, rtol=1e-5, atol=1e-6)
        torch.testing.assert_close(ema.model.table.double(), table, rtol=1e-5, atol=1e-6)
        assert ema.model.count.item() == step


def test_the_average_starts_at_the_weights_and_does_not_move_by_itself():
    model = Counted()
    ema = EMA(model, 0.9)
    before = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1)
        model.table.add_(1)
    assert torch.equal(ema.model.weight, before) and not torch.equal(ema.model.table, model.table)


def test_updating_leaves_the_model_alone():
    model = Counted()
    ema = EMA(model, 0.5)
    with torch.no_grad():
        model.weight.add_(1)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    ema.update(model)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert model.weight.requires_grad and model.training


def test_buffers_that_are_not_averaged_are_the_models_own():
    model = Counted()
    ema = EMA(model, 0.5, buffers=False)
    before = model.weight.detach().clone()
    with torch.no_grad():
        model.weight.add_(1)
        model.table.add_(1)
        model.count.fill_(3)
    ema.update(model)
    assert ema.model.table is model.table and ema.model.count.item() == 3
    torch.testing.assert_close(ema.model.weight, before + 0.5)


def test_the_average_asks_for_no_gradient_and_is_in_evaluation_mode():
    ema = EMA(Counted(), 0.9)
    assert not ema.model.weight.requires_grad and not ema.model.training
