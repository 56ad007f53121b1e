"""A segment can be captured in a CUDA graph: no shape depends on the data, and nothing waits for the device.

Tensors on the meta device have shapes and no data, so whatever would read a value (`item`, `nonzero`, a boolean mask as
index, a copy to the host) raises on them, and so does mixing with tensors of the host.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM, Output
from hrmlab.kernels import gated, residual_norm, sign_sgd, sparse_sign, stablemax
from hrmlab.presets import preset
from hrmlab.training.config import RunConfig

PRESETS = (
    "hrm-sudoku-extreme",
    "trm-sudoku-extreme",
    "trm-mlp-sudoku-extreme",
    "sudoku-9x9",
    "hrm-sudoku-6x6",
    "maze-9x9",
)
SLOTS = 3


@pytest.fixture(params=[True, False], ids=["kernels", "twins"])
def kernels(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the parts call the operators, as on a GPU with Triton, or their twins."""
    for module in (gated, residual_norm, sparse_sign, stablemax):
        monkeypatch.setattr(module, "fused", lambda *tensors: request.param)
    return bool(request.param)


def without_data(name: str, table: bool = True) -> tuple[RunConfig, HRM, Carry]:
    """A preset's run at a small width, its bfloat16 model and a carry at work, all without data."""
    config = preset(name).make()
    size = replace(config.model.size, width=32, layers=1, heads=2)
    spec = replace(config.task.spec(), num_identifiers=5)
    puzzle = config.model.puzzle if table else None
    model = HRM(replace(config.model, size=size, puzzle=puzzle), spec).to("meta")
    model.dtype = torch.bfloat16
    cells = torch.zeros(SLOTS, spec.seq_len, dtype=torch.int64, device="meta")
    return config, model, model.empty_carry(Batch(cells, cells, cells[:, 0]))


def one_step(config: RunConfig, model: Callable[..., Output], carry: Carry, rows: Tensor | None) -> Carry:
    """What training does on the device in a step, the dense optimiser's part aside."""
    step = segment(model, carry, config.halting)
    goal = objective(step, config.loss, config.halting)
    goal.total.backward()
    if rows is not None and step.output.puzzle_rows is not None:
        assert step.output.puzzle_rows.grad is not None
        sign_sgd(rows, carry.batch.identifiers, step.output.puzzle_rows.grad, 0.1, 0.1)
    return step.carry


@pytest.mark.parametrize("name", PRESETS)
def test_a_training_step_reads_no_value_on_the_host(name: str, kernels: bool) -> None:
    config, model, carry = without_data(name)
    rows = model.puzzles.rows if model.puzzles is not None and kernels else None
    after = one_step(config, model, carry, rows)
    assert all(p.grad is not None and p.grad.is_meta for p in model.networks.parameters())
    for level, state in after.states.items():  # the next segment can run in the same memory
        assert state.shape == carry.states[level].shape and state.dtype == carry.states[level].dtype and state.is_meta
    assert after.halted.is_meta and after.steps.is_meta and after.steps.dtype == carry.steps.dtype


@pytest.mark.parametrize("name", PRESETS)
def test_a_refill_and_a_segment_without_gradient_read_no_value_on_the_host(name: str, kernels: bool) -> None:
    config, model, carry = without_data(name)
    with torch.no_grad():
        carry = carry.refill(model.initial_states(), carry.batch, torch.ones_like(carry.steps))
        step = segment(model, carry, config.evaluation)
    assert step.carry.halted.is_meta and step.output.logits.is_meta


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, while it imports its compiler
@pytest.mark.parametrize("learning", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("name", ["hrm-sudoku-6x6", "trm-sudoku-extreme", "sudoku-9x9"])
def test_the_forward_pass_is_one_graph(name: str, learning: bool, kernels: bool) -> None:
    """torch.compile finds nothing at which it would have to return to Python. In training a puzzle table is one such
    place, its rows being leaves made on the way; without gradient it is none."""
    torch._dynamo.reset()
    _, model, carry = without_data(name, table=not learning)
    compiled = torch.compile(model, fullgraph=True, dynamic=False, backend="eager")
    with torch.set_grad_enabled(learning):
        output = compiled(carry.states, carry.batch)
    assert output.logits.is_meta and output.logits.requires_grad == learning
    assert output.logits.shape == (SLOTS, model.spec.seq_len, model.spec.vocab_size)


def test_the_update_of_the_puzzle_table_is_safe_by_its_kernel_alone(kernels: bool) -> None:
    rows, gradients = torch.zeros(5, 4, device="meta"), torch.zeros(3, 4, device="meta")
    ids = torch.zeros(3, dtype=torch.int64, device="meta")
    if kernels:
        sign_sgd(rows, ids, gradients, 0.1, 0.1)
    else:
        with pytest.raises(NotImplementedError, match="unique"):
            sign_sgd(rows, ids, gradients, 0.1, 0.1)


WAITS: dict[str, Callable[[Tensor], Any]] = {
    "item": lambda x: x.sum().item(),
    "bool": lambda x: bool(x.sum() > 0),
    "tolist": lambda x: x.tolist(),
    "cpu": lambda x: x.cpu(),
    "nonzero": lambda x: x.nonzero(),
    "unique": lambda x: torch.unique(x),
    "mask as index": lambda x: x[x > 0],
    "tensor of the host": lambda x: x + torch.ones(x.shape),
}


@pytest.mark.parametrize("what", WAITS)
def test_what_would_wait_is_found(what: str) -> None:
    class Waiting(nn.Module):
        def forward(self, x: Tensor, context: object) -> Tensor:
            WAITS[what](x)
            return x

    config, model, carry = without_data("hrm-sudoku-6x6")
    model.networks["low"].blocks[0] = Waiting()
    with pytest.raises((RuntimeError, NotImplementedError)):
        segment(model, carry, config.halting)
