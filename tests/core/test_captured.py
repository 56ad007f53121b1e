"""CUDA graphs against the eager engine: what they give, what they learn, and that no replay overwrites it."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from hrmlab.core.act import objective, segment
from hrmlab.core.captured import MOST, Captured
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.embeddings import PuzzleConfig
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed, QLearning
from hrmlab.inference.puzzles import Puzzle
from hrmlab.inference.stream import Solver
from hrmlab.losses import StablemaxCrossEntropy

Make = Callable[..., Any]
ON_GPU = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"))


def on_gpu(test: Any) -> Any:
    for mark in ON_GPU:
        test = mark(test)
    return test


def moved(batch: Batch, device: str = "cuda") -> Batch:
    return Batch(batch.inputs.to(device), batch.labels.to(device), batch.identifiers.to(device))


@pytest.fixture
def model(make_spec: Make, make_model: Make) -> HRM:
    built: HRM = make_model(make_spec(), puzzle=PuzzleConfig(width=16)).cuda()
    built.dtype = torch.float32
    return built


def learnt(engine: Eager, carry: Carry, segments: int) -> list[Tensor]:
    """Everything that some training steps in a row give, the weights changed in between."""
    found: list[Tensor] = []
    for number in range(segments):
        step = segment(engine, carry, QLearning(), number=number)
        goal = objective(step, StablemaxCrossEntropy(), QLearning())
        goal.total.backward()  # type: ignore[no-untyped-call]
        rows, ahead = step.output.puzzle_rows, step.view.ahead
        assert rows is not None and rows.grad is not None and ahead is not None
        found += [step.output.logits.detach(), ahead.values, rows.grad.clone(), goal.total.detach()]
        with torch.no_grad():
            for p in engine.model.parameters():
                if p.grad is not None:
                    found.append(p.grad.clone())
                    p -= 0.1 * p.grad
        engine.model.zero_grad()
        carry = step.carry
    return [*found, *carry.states.values()]


@on_gpu
@pytest.mark.parametrize("recompute", [False, True])
def test_training_is_that_of_the_eager_engine(model: HRM, make_batch: Make, start: Make, recompute: bool) -> None:
    model.recompute(recompute)
    carry = start(model, moved(make_batch(model.spec, 3)))
    kept = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    wanted = learnt(Eager(model), carry, 3)
    model.load_state_dict(kept)
    for ours, theirs in zip(learnt(Captured(model), carry, 3), wanted, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@on_gpu
def test_an_answer_outlives_the_next_replay(model: HRM, make_batch: Make, start: Make) -> None:
    engine, carry = Captured(model), start(model, moved(make_batch(model.spec, 3)))
    with torch.inference_mode():
        first = segment(engine, carry, Fixed())
        kept = first.output.logits.clone()
        segment(engine, first.carry, Fixed())
        assert torch.equal(first.output.logits, kept)


@on_gpu
def test_shapes_that_come_and_go_leave_few_recordings(model: HRM, make_batch: Make, start: Make) -> None:
    engine = Captured(model)
    with torch.no_grad():
        for count in range(1, MOST + 3):
            carry = start(model, moved(make_batch(model.spec, count)))
            torch.testing.assert_close(
                engine(carry.states, carry.batch).logits, model(carry.states, carry.batch).logits, atol=1e-4, rtol=1e-4
            )
    assert len(engine._recordings) == MOST


@on_gpu
def test_puzzles_are_answered_as_by_the_eager_engine(model: HRM, make_batch: Make) -> None:
    rows = make_batch(model.spec, 7).inputs.numpy()
    puzzles = [Puzzle(row) for row in rows]
    answers = [
        [found.tokens.tolist() for found in Solver(model, Fixed(max_segments=4), slots=3, engine=engine).solve(puzzles)]
        for engine in (Eager(model), Captured(model))
    ]
    assert answers[0] == answers[1]


@on_gpu
def test_with_an_observer_the_eager_model_answers(model: HRM, make_batch: Make) -> None:
    seen: list[Any] = []
    batch = moved(make_batch(model.spec, 2))
    Captured(model)(model.empty_carry(batch).states, batch, lambda *what: seen.append(what), 3)
    assert len(seen) == len(model.schedule.updates)


def test_on_a_cpu_it_says_what_to_take(make_spec: Make, make_model: Make) -> None:
    with pytest.raises(ConfigError, match=r"--device cuda.*eager or compiled"):
        Captured(make_model(make_spec()))
