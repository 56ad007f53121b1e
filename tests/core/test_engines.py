"""Every engine computes what the eager one does: outputs, states, gradients and looks ahead, within its tolerance."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hrmlab.attention import SDPA, AttentionConfig, Gated
from hrmlab.blocks import PostNorm
from hrmlab.core.act import Objective, Step, objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.compiling import Compiled, has_compiler
from hrmlab.core.eager import Eager, Reference
from hrmlab.core.engines import ENGINES, build
from hrmlab.core.heads import HaltingHeadConfig
from hrmlab.core.model import HRM
from hrmlab.embeddings import PuzzleConfig
from hrmlab.errors import ConfigError
from hrmlab.halting import QLearning
from hrmlab.losses import StablemaxCrossEntropy

Make = Callable[..., Any]


def learnt(engine: Eager, carry: Carry) -> tuple[Step, Objective, dict[str, Tensor]]:
    """A training segment and all gradients, those of the puzzle rows included."""
    engine.model.zero_grad()
    step = segment(engine, carry, QLearning())
    goal = objective(step, StablemaxCrossEntropy(), QLearning())
    goal.total.backward()
    grads = {name: p.grad.clone() for name, p in engine.model.named_parameters() if p.grad is not None}
    rows = step.output.puzzle_rows
    return step, goal, grads if rows is None else grads | {"rows": rows.grad}


def agree(one: tuple[Step, Objective, dict[str, Tensor]], other: Any, tolerance: float) -> None:
    (a, goal_a, grads_a), (b, goal_b, grads_b) = one, other
    pairs = [(a.output.logits, b.output.logits), (a.view.values, b.view.values), (goal_a.total, goal_b.total)]
    pairs += [(a.carry.states[level], b.carry.states[level]) for level in a.carry.states]
    pairs += [(a.view.ahead.values, b.view.ahead.values)]
    assert grads_a.keys() == grads_b.keys()
    pairs += [(grads_a[name], grads_b[name]) for name in grads_a]
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("readout", ["first", "mean", "attention", "input"])
def test_the_reference_engine_agrees(
    make_spec: Make, make_model: Make, make_batch: Make, start: Make, readout: str
) -> None:
    head = HaltingHeadConfig(readout=readout, bias=0.0)
    model: HRM = make_model(make_spec(), puzzle=PuzzleConfig(width=16), halting_head=head)
    carry: Carry = start(model, make_batch(model.spec, 3))
    agree(learnt(Eager(model), carry), learnt(Reference(model), carry), Reference.tolerance)


def test_the_reference_engine_looks_ahead_by_a_whole_segment(
    make_spec: Make, make_model: Make, make_batch: Make, start: Make
) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    model: HRM = make_model(make_spec())
    carry: Carry = start(model, make_batch(model.spec, 2))
    spent = {}
    for engine in (Eager(model), Reference(model)):
        with FlopCounterMode(display=False) as found:
            engine.look_ahead(carry.states, carry.batch)
        spent[engine.name] = found.get_total_flops()
    with FlopCounterMode(display=False) as whole, torch.no_grad():
        model(carry.states, carry.batch)
    assert spent["reference"] == whole.get_total_flops() > 1.05 * spent["eager"]


@pytest.mark.parametrize("attention", [SDPA(), Gated()])
def test_leading_positions_of_a_block_are_those_of_all(
    make_spec: Make, make_model: Make, attention: AttentionConfig
) -> None:
    model: HRM = make_model(make_spec(), block=PostNorm(attention=attention))
    assert isinstance(model.config.block, PostNorm)
    block, context = model.networks["high"].blocks[0], model.context()
    x = torch.randn(3, 16, 16)
    for count in (1, 5, 16):
        torch.testing.assert_close(block.leading(x, context, count), block(x, context)[:, :count], atol=1e-6, rtol=0)


def test_leading_positions_obey_the_mask(make_spec: Make, make_model: Make) -> None:
    from dataclasses import replace

    model: HRM = make_model(make_spec())
    block, x = model.networks["high"].blocks[0], torch.randn(2, 16, 16)
    masks = (torch.ones(16, 16).tril().bool(), torch.ones(1, 1, 1, 16).bool(), (torch.arange(16) < 9)[None])
    for mask in masks:
        context = replace(model.context(), mask=mask)
        torch.testing.assert_close(block.leading(x, context, 3), block(x, context)[:, :3], atol=1e-6, rtol=0)


def test_an_unknown_engine_is_named_with_those_known(make_spec: Make, make_model: Make) -> None:
    with pytest.raises(ConfigError, match="did you mean 'compiled'"):
        build("compield", make_model(make_spec()))


def test_names_are_those_of_the_configuration() -> None:
    from typing import get_args, get_type_hints

    from hrmlab.training.config import TrainingConfig

    assert set(get_args(get_type_hints(TrainingConfig)["engine"])) == {"auto", *ENGINES}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the compiler's own
@pytest.mark.parametrize("symbols", [False, True])
def test_compiled_agrees_in_one_piece(
    make_spec: Make, make_model: Make, make_batch: Make, start: Make, symbols: bool
) -> None:
    """`fullgraph` makes any graph break an error."""
    parts: dict[str, Any] = {} if symbols else {"puzzle": PuzzleConfig(width=16)}
    model: HRM = make_model(make_spec(), symbols=symbols, **parts)
    if not has_compiler(model):
        pytest.skip("no C++ compiler")
    batch: Batch = make_batch(model.spec, 3)
    carry: Carry = start(model, batch)
    agree(learnt(Eager(model), carry), learnt(Compiled(model), carry), Compiled.tolerance)
