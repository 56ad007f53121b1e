"""One thread, repeatable examples, and the small boards and models that the folders share.

Helpers are session-scoped fixtures that give functions, so that hypothesis tests may use them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from torch import nn

from hrmlab.blocks import Place, PostNorm, Relational, Size
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.heads import HaltingHeadConfig
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import NoPositions, Rotary, SymbolAxis, Tokens
from hrmlab.spec import Relation, Symbols, TaskSpec

torch.set_num_threads(1)
settings.register_profile("hrm-lab", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("hrm-lab")


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def make_spec() -> Callable[..., TaskSpec]:
    """A Sudoku-like board of `box_rows` x `box_columns` boxes: 0 padding, 1 blank, symbols from 2 on."""

    def make(box_rows: int = 2, box_columns: int = 2, identifiers: int = 5) -> TaskSpec:
        side = box_rows * box_columns
        rows, columns = np.divmod(np.arange(side * side), side)
        return TaskSpec(
            seq_len=side * side,
            vocab_size=side + 2,
            num_identifiers=identifiers,
            shape=(side, side),
            relations=(
                Relation("row", groups=rows, tie="line"),
                Relation("column", groups=columns, tie="line"),
                Relation("box", groups=rows // box_rows * box_rows + columns // box_columns),
            ),
            symbols=Symbols(tokens=tuple(range(2, side + 2)), blank=1),
        )

    return make


@pytest.fixture(scope="session")
def make_place(make_spec: Callable[..., TaskSpec]) -> Callable[..., Place]:
    """Where a part of width 16 with two heads stands on a board, sizes changed as asked for."""

    def make(spec: TaskSpec | None = None, slots: int = 0, symbols: bool = False, **changes: Any) -> Place:
        here = spec or make_spec()
        size = Size(**({"width": 16, "layers": 1, "heads": 2, "expansion": 2, "round_to": 8} | changes))
        return Place(size, here, slots + here.seq_len, slots, symbols)

    return make


@pytest.fixture(scope="session")
def awake() -> Callable[[nn.Module], nn.Module]:
    """Fills parameters that start at zero, and hold back those behind them, as a first step of training would."""

    def wake(module: nn.Module) -> nn.Module:
        with torch.no_grad():
            for parameter in module.parameters():
                if not parameter.any():
                    parameter.normal_(std=0.1)
        return module

    return wake


@pytest.fixture(scope="session")
def make_batch() -> Callable[..., Batch]:
    """Random puzzles on a board, every cell scored."""

    def make(spec: TaskSpec, rows: int, seed: int = 0) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        inputs = torch.randint(1, spec.vocab_size, (rows, spec.seq_len), generator=generator)
        labels = torch.randint(2, spec.vocab_size, (rows, spec.seq_len), generator=generator)
        identifiers = torch.randint(0, spec.num_identifiers, (rows,), generator=generator)
        return Batch(inputs, labels, identifiers)

    return make


@pytest.fixture(scope="session")
def tiny() -> Size:
    return Size(width=16, layers=1, heads=2, expansion=2, round_to=8)


@pytest.fixture(scope="session")
def make_model(tiny: Size) -> Callable[..., HRM]:
    """A tiny model whose halting head is already awake (it starts blind, which would hide mistakes)."""

    def make(spec: TaskSpec, *, symbols: bool = False, seed: int = 0, **changes: Any) -> HRM:
        torch.manual_seed(seed)
        parts: dict[str, Any] = {
            "schedule": HRMSchedule(),
            "block": Relational() if symbols else PostNorm(),
            "embedding": SymbolAxis() if symbols else Tokens(),
            "positions": NoPositions() if symbols else Rotary(),
            "halting_head": HaltingHeadConfig(readout="mean" if symbols else "first", bias=0.0),
            "size": tiny,
        }
        model = HRM(ModelConfig(**(parts | changes)), spec)
        torch.nn.init.normal_(model.halting_head.linear.weight)
        return model

    return make


@pytest.fixture(scope="session")
def start() -> Callable[[HRM, Batch], Carry]:
    """A carry whose slots have just taken the batch's rows."""

    def make(model: HRM, batch: Batch) -> Carry:
        carry = model.empty_carry(batch)
        return carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))

    return make
