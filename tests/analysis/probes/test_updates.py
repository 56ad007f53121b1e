"""D-06: Adam's first step by hand; rates too high, coupled decay and parameters left out are found."""

import copy
from dataclasses import dataclass

import pytest
import torch

from hrmlab.analysis.probes.updates import Updates
from hrmlab.config import encode
from hrmlab.halting import Fixed
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.optimisers import AdamAtan2Config, AdamW, MuonConfig, OptimiserConfig


@dataclass(frozen=True, kw_only=True)
class Coupled(OptimiserConfig):
    """Adam with the decay inside the gradient."""

    kind: str = "coupled"
    lr: float = 1e-3

    def build(self, model, parameters):
        return [torch.optim.Adam(parameters.values(), self.lr, weight_decay=0.1)]


def _learning(one, optimiser, change=lambda trainer: None):
    """The subject with a learner of that optimiser, to which `change` is done first."""
    training = TrainingConfig(optimiser=optimiser, steps=1000, batch_size=6, warmup_steps=100)
    config = RunConfig(name="t", task=one.task, model=one.model.config, training=training, halting=one.halting)

    def make():
        trainer = Trainer(config, copy.deepcopy(one.model).train(), Feeder(one.train, 0))
        change(trainer)
        return trainer

    one.learner = make
    if not isinstance(optimiser, Coupled):
        one.settings = encode(config)
    return one


SOUND = [AdamW(), AdamAtan2Config(lr=1e-3, weight_decay=1.0), MuonConfig(lr=0.005, weight_decay=0.1)]


@pytest.mark.parametrize("optimiser", SOUND, ids=lambda optimiser: optimiser.kind)
def test_sound_optimisers_are_silent(subject, optimiser):
    found = Updates(steps=3).run(_learning(subject(segments=2), optimiser))
    assert found.verdict == "ok"
    assert found.scalars["decay_excess"] < 0.1


def test_adams_first_step_is_the_rate_in_every_number(subject):
    """Also where the warm-up takes a hundredth of the rate: sizes are given at the peak."""
    one = _learning(subject(segments=2), AdamW(lr=1e-3, weight_decay=0.0))
    held = torch.cat([p.detach().flatten() for p in one.model.networks["high"].blocks[0].parameters()])
    found = Updates(steps=1).run(one)
    row = next(row for row in found.table if row["group"] == "high.0")
    assert abs(row["ratio"] / (1e-3 * len(held) ** 0.5 / float(held.norm())) - 1) < 0.02


def test_a_rate_a_hundred_times_too_high_is_found(shipped):
    one = shipped("sudoku-4x4", 12, 4)
    assert Updates(steps=3).run(one).verdict == "ok"
    usual = one.learner

    def hot():
        trainer = usual()
        for optimiser in trainer.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["peak_lr"] = 100 * group["peak_lr"]
        return trainer

    one.learner = hot
    found = Updates(steps=3).run(one)
    assert [finding.rule for finding in found.findings] == ["updates.too_large"]
    ((key, rate),) = found.findings[0].patch.items()
    assert key.startswith("training.optimiser.")
    assert rate > 0


def test_decay_inside_the_gradient_is_found(subject):
    found = Updates(steps=2).run(_learning(subject(segments=2), Coupled()))
    assert [finding.rule for finding in found.findings] == ["updates.coupled_decay"]
    assert abs(found.findings[0].threshold - 1e-4) < 1e-9
    assert found.scalars["bound"] == 10


def test_a_level_that_asks_for_no_gradient_is_found(subject):
    change = lambda trainer: trainer.model.networks["low"].requires_grad_(False)  # noqa: E731
    found = Updates(steps=2).run(_learning(subject(segments=2), AdamW(), change))
    assert [(finding.rule, finding.severity) for finding in found.findings] == [("updates.frozen", "warn")]
    assert "low.0, low.1" in found.findings[0].seen


def test_a_level_that_the_optimiser_misses_is_found(subject):
    def change(trainer):
        missed = {id(p) for p in trainer.model.networks["low"].parameters()}
        (group,) = trainer.optimisers[0].param_groups
        group["params"] = [p for p in group["params"] if id(p) not in missed]

    found = Updates(steps=2).run(_learning(subject(segments=2), AdamW(), change))
    assert [(finding.rule, finding.severity) for finding in found.findings] == [("updates.frozen", "fail")]
    assert "no optimiser holds them" in found.findings[0].seen


def test_a_head_that_nothing_teaches_is_no_fault(subject):
    found = Updates(steps=2).run(_learning(subject(segments=2, halting=Fixed(max_segments=2)), AdamW()))
    assert found.verdict == "ok"
    assert all(row["ratio"] == 0 for row in found.table if row["group"] == "halting_head")


def test_without_training_there_is_nothing_to_measure(subject):
    assert Updates().run(subject()).verdict == "n/a"
