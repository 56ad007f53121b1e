"""Answers from several levels: heads of their own, losses of their own, and nothing of it where nobody learns."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.api.inspection import inspect
from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import HRM
from hrmlab.core.networks import NetworkConfig
from hrmlab.core.schedules import Levels
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.spec import TaskSpec

MakeModel, MakeSpec, MakeBatch = Callable[..., HRM], Callable[..., TaskSpec], Callable[..., Batch]
Start = Callable[[HRM, Batch], Carry]


def test_a_head_begins_as_the_answers_own(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    spec = make_spec()
    model, batch = make_model(spec, answers={"low": 0.5}), make_batch(spec, 2)
    output = model(model.empty_carry(batch).states, batch)
    weight, logits = output.others["low"]
    assert weight == 0.5 and logits.equal(model.embedding.logits(output.states["low"]))


def test_its_loss_teaches_the_level_and_the_head(
    make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch, start: Start
) -> None:
    spec = make_spec()
    batch = make_batch(spec, 3)
    found = {}
    for weight in (0.0, 0.5, 1.0):
        model = make_model(spec, answers={"low": weight})
        step = segment(model, start(model, batch), Fixed())
        goal = objective(step, SoftmaxCrossEntropy(), Fixed())
        goal.total.backward()
        found[weight] = goal.terms, {name: p.grad for name, p in model.named_parameters()}
    assert found[1.0][0]["answer_low"].item() == pytest.approx(2 * found[0.5][0]["answer_low"].item())
    assert found[1.0][0]["answer"].equal(found[0.0][0]["answer"])
    reader = "readers.low.weight"
    assert not found[0.0][1][reader].any()
    torch.testing.assert_close(found[1.0][1][reader], 2 * found[0.5][1][reader])
    name = next(name for name in found[0.0][1] if name.startswith("networks.low") and found[0.0][1][name].ndim == 2)
    assert not torch.allclose(found[0.0][1][name], found[1.0][1][name])


def test_nothing_is_read_where_nobody_learns(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    spec = make_spec()
    model, batch = make_model(spec, answers={"low": 0.5}), make_batch(spec, 1)
    with torch.no_grad():
        assert model(model.empty_carry(batch).states, batch).others == {}


def test_levels_of_another_width_answer_too(make_model: MakeModel, make_spec: MakeSpec, make_batch: MakeBatch) -> None:
    spec = make_spec()
    networks = {"level2": NetworkConfig(width=8, heads=1)}
    schedule, answers = Levels(periods=(1, 1, 2)), {"level1": 0.1, "level2": 0.1}
    model, batch = make_model(spec, schedule=schedule, networks=networks, answers=answers), make_batch(spec, 2)
    others = model(model.empty_carry(batch).states, batch).others
    assert {level: logits.shape for level, (_, logits) in others.items()} == dict.fromkeys(
        answers, (2, spec.seq_len, spec.vocab_size)
    )


@pytest.mark.parametrize("level", ["high", "middle"])
def test_a_level_that_cannot_is_refused(make_model: MakeModel, make_spec: MakeSpec, level: str) -> None:
    with pytest.raises(ConfigError, match=rf"model.answers: '{level}' came; wanted of \['low'\]"):
        make_model(make_spec(), answers={level: 1.0})


def test_it_is_set_by_name_and_counted() -> None:
    plain, more = inspect("hrm-sudoku-4x4"), inspect("hrm-sudoku-4x4", ["model.answers.low=0.5"])
    assert more.parameters["other levels' answers"] == more.parameters["total"] - plain.parameters["total"] > 0
    assert more.flops["segment"] == plain.flops["segment"]
    assert more.flops["training_step"] > plain.flops["training_step"]
