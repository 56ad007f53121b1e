"""Faults planted one at a time: each is found by its own rule and by no other; sound models are left in peace.

The sound models are those that come with the package; attention and puzzle identifiers, which they lack, are planted in
small models of their own.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from hrmlab.analysis.probes import Subject
from hrmlab.api.diagnosing import chosen, copied_trainer, examined, measured, worst_first
from hrmlab.api.targets import find_run, shipped_models
from hrmlab.config import encode
from hrmlab.core import act
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import AdamW

HRM_PROPER = "hrm-sudoku-6x6"


def failures(subject: Subject) -> set[str]:
    """Rules of the findings that are not mere notes, over the standard probes."""
    findings = worst_first(measured(subject, chosen("standard"), quiet=True))
    return {finding.rule for finding in findings if finding.severity == "fail"}


def sound(name: str = HRM_PROPER, n: int = 32, **changes: Any) -> Subject:
    """A shipped model, loaded anew; changes of its configuration take part in its training only."""
    subject, _ = examined(name, (), n, 8, 0, "cpu", True)
    config = find_run(name).config
    if changes:
        config = replace(config, training=replace(config.training, **changes))
    return retrained(subject, config)


def retrained(subject: Subject, config: RunConfig) -> Subject:
    assert subject.train is not None
    train = subject.train
    return replace(subject, settings=encode(config), learner=lambda: copied_trainer(config, train, subject.model))


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped_models())
def test_a_sound_model_is_left_in_peace(name: str) -> None:
    subject, _ = examined(name, (), 24, 8, 0, "cpu", True)
    findings = worst_first(measured(subject, chosen("standard"), quiet=True))
    assert [finding for finding in findings if finding.severity != "info"] == []


def a_learning_rate_a_hundred_times_too_large() -> Subject:
    optimiser = find_run(HRM_PROPER).config.training.optimiser
    rest = replace(optimiser.rest, lr=100 * optimiser.rest.lr)
    return sound(optimiser=replace(optimiser, lr=100 * optimiser.lr, rest=rest))


def a_halting_head_that_says_stop() -> Subject:
    subject = sound()
    with torch.no_grad():
        subject.model.halting_head.linear.bias += torch.tensor([12.0, 0.0])
    rule = replace(subject.halting, max_segments=8)
    return replace(subject, evaluation=rule)


def a_low_level_cut_off() -> Subject:
    """The high level's network no longer hears the low state."""
    subject = sound()
    schedule = subject.model.schedule
    rows = tuple(replace(row, sources=()) if row.target == "high" else row for row in schedule.updates)
    object.__setattr__(subject.model, "schedule", _unchecked(schedule, rows))
    return subject


def _unchecked(schedule: Any, rows: Any) -> Any:
    """The table with other rows, past its own check for coherence, which would refuse them."""
    changed = object.__new__(type(schedule))
    for name, value in {"levels": schedule.levels, "updates": rows, "answer": schedule.answer}.items():
        object.__setattr__(changed, name, value)
    return changed


def a_network_that_detaches() -> Subject:
    subject = sound()
    subject.model.networks["low"].register_forward_hook(lambda _m, _a, out: out.detach())
    return subject


def a_norm_that_divides_by_zero() -> Subject:
    subject = sound()

    def norm(_module: Any, _args: Any, out: torch.Tensor) -> torch.Tensor:
        return out / (out - out).norm()

    subject.model.networks["low"].blocks[0].register_forward_hook(norm)
    return subject


def a_halting_head_that_learns_nothing() -> Subject:
    subject = sound()
    head = subject.model.halting_head.linear
    with torch.no_grad():
        head.weight.zero_()
        head.bias.copy_(torch.tensor([-5.0, -5.0]))
    head.weight.requires_grad_(False)
    return subject


def weight_decay_inside_the_gradient() -> Subject:
    """An optimiser that adds the decay to the gradient, where Adam's division makes it a step of full length."""
    config = find_run(HRM_PROPER).config
    config = replace(config, training=replace(config.training, optimiser=AdamW(lr=1e-4, weight_decay=0.1)))
    subject = retrained(sound(), config)
    make = subject.learner
    assert make is not None

    def learner() -> Any:
        trainer = make()
        trainer.optimisers = [_with_peak(torch.optim.Adam(trainer.model.parameters(), lr=1e-4, weight_decay=0.1), 1e-4)]
        return trainer

    return replace(subject, learner=learner)


def _with_peak(optimiser: torch.optim.Optimizer, lr: float) -> torch.optim.Optimizer:
    for group in optimiser.param_groups:
        group["peak_lr"] = lr
    return optimiser


def a_level_that_is_frozen() -> Subject:
    subject = sound()
    make = subject.learner
    assert make is not None

    def learner() -> Any:
        trainer = make()
        frozen = {id(p) for p in trainer.model.networks["low"].parameters()}
        for optimiser in trainer.optimisers:
            for group in optimiser.param_groups:
                group["params"] = [p for p in group["params"] if id(p) not in frozen]
        return trainer

    return replace(subject, learner=learner)


def labels_shifted() -> Subject:
    subject = sound()
    assert subject.train is not None
    shifted = replace(subject.train, labels=np.roll(subject.train.labels, 1, axis=1))
    return replace(subject, train=shifted)


def held_out_puzzles_in_the_training_set() -> Subject:
    subject = sound()
    assert subject.train is not None
    return replace(subject, train=subject.train.joined(subject.examples.part(slice(4))))


FAULTS: dict[str, Callable[[], Subject]] = {
    "updates.too_large": a_learning_rate_a_hundred_times_too_large,
    "q_learning.stops_at_once": a_halting_head_that_says_stop,
    "coupling.disconnected": a_low_level_cut_off,
    "gradient_path.unreached": a_network_that_detaches,
    "numerics.nonfinite": a_norm_that_divides_by_zero,
    "q_learning.head_learns_nothing": a_halting_head_that_learns_nothing,
    "updates.coupled_decay": weight_decay_inside_the_gradient,
    "updates.frozen": a_level_that_is_frozen,
    "data.labels_wrong": labels_shifted,
    "data.leak": held_out_puzzles_in_the_training_set,
}


@pytest.mark.slow
@pytest.mark.parametrize("rule", FAULTS)
def test_each_fault_is_found_by_its_own_rule_alone(rule: str) -> None:
    assert failures(FAULTS[rule]()) == {rule}


@pytest.mark.slow
def test_a_missing_detach_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = act.detached

    def attached(carry: Any, output: Any, steps: Any, halted: Any) -> Any:
        return replace(whole(carry, output, steps, halted), states=dict(output.states))

    subject = sound()
    monkeypatch.setattr(act, "detached", attached)
    assert failures(subject) == {"gradient_path.leak"}
