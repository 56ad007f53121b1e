"""A recording sees what each rule would see in a run of its own."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hrmlab.analysis.candidates import TRAINING_FREE, rules_for
from hrmlab.analysis.contest import budgeted, play, settings
from hrmlab.analysis.replay import stops
from hrmlab.analysis.traces import passes, record
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import (
    Confidence,
    Correctness,
    DampedResidual,
    Fixed,
    GlobalBudget,
    GravesACT,
    HaltingConfig,
    Ponder,
    QLearning,
    Verifier,
)
from hrmlab.inference.solver import answer
from hrmlab.spec import TaskSpec
from hrmlab.tasks.base import Examples

DEPTH, COUNT = 5, 9
LEARNED = {"correctness": Correctness(), "q_learning": QLearning(), "graves_act": GravesACT(), "ponder": Ponder()}


def even(inputs: np.ndarray, answers: np.ndarray) -> np.ndarray:
    return answers.sum(-1) % 2 == 0


@pytest.fixture
def model(make_spec: Callable[..., TaskSpec], make_model: Callable[..., HRM]) -> HRM:
    return make_model(make_spec()).eval()


@pytest.fixture
def examples(model: HRM, make_batch: Callable[..., Batch]) -> Examples:
    batch = make_batch(model.spec, COUNT)
    parts = (part.numpy().astype(np.int32) for part in (batch.inputs, batch.labels, batch.identifiers))
    return Examples(*parts, rating=np.arange(COUNT))


@pytest.mark.parametrize("name", [*TRAINING_FREE, *LEARNED])
def test_replayed_stops_are_those_of_the_rule_itself(model: HRM, examples: Examples, name: str) -> None:
    rules: dict[str, HaltingConfig] = TRAINING_FREE | LEARNED
    trace = record(model, examples, rules, DEPTH, even, batch_size=4)
    ready = trace.readiness[name]
    middle = float(np.median(ready[np.isfinite(ready)]))
    rule = (rules[name].at(middle) if not isinstance(rules[name], Ponder | GravesACT) else None) or rules[name]
    alone = answer(model, examples, type(rule)(**{**vars(rule), "max_segments": DEPTH}), check=even)
    at, chosen = stops(ready, rule.cutoff)
    assert alone.segments.tolist() == at.tolist()
    assert alone.halted.tolist() == chosen.tolist()
    told = record(model, replace(examples, labels=alone.tokens), {name: rule}, DEPTH, even, batch_size=4)
    assert play(rule, name, told).accuracy == 1.0  # scored on the answers that it gives, blended or steered


def test_rules_that_blend_or_steer_have_answers_of_their_own(model: HRM, examples: Examples) -> None:
    rules = {
        "graves_act": GravesACT(),
        "damped_residual": DampedResidual(patience=1, decay=0.1),
        "verifier": Verifier(),
    }
    counts: list[int] = []
    trace = record(model, examples, rules, DEPTH, even, batch_size=4, progress=counts.append)
    assert list(trace.readiness) == list(rules) and set(trace.answered) == {"graves_act", "damped_residual"}
    assert sum(counts) == COUNT * passes(rules) == 2 * COUNT
    alone = record(model, examples, {"verifier": Verifier()}, DEPTH, even, batch_size=4)
    np.testing.assert_array_equal(trace.right, alone.right)  # the others see nothing of the damping
    np.testing.assert_array_equal(trace.readiness["verifier"], alone.readiness["verifier"])
    part = trace.rows(slice(2, 5))
    np.testing.assert_array_equal(part.seen_by("graves_act").right, trace.answered["graves_act"][2:5])


@pytest.mark.parametrize("mean", [1.0, 1.6, 2.5, 9.0])
@pytest.mark.parametrize("slots", [1, 4, COUNT])
def test_a_replayed_budget_stops_whom_the_solver_stops(model: HRM, examples: Examples, mean: float, slots: int) -> None:
    inner = Confidence(threshold=0.9)
    policy = GlobalBudget(rules=(inner,), mean_segments=mean, max_segments=DEPTH)
    trace = record(model, examples, {"budget": policy}, DEPTH, even, batch_size=4)
    at, chosen = budgeted(policy, trace.readiness["budget"], slots)
    alone = answer(model, examples, policy, batch_size=slots)
    assert alone.segments.tolist() == at.tolist() and alone.halted.tolist() == chosen.tolist()
    assert at.mean() <= mean or mean < 1


def test_every_setting_of_a_rule_is_a_rule_of_its_kind(model: HRM, examples: Examples) -> None:
    rules = rules_for(Correctness())
    trace = record(model, examples, rules, DEPTH, even, batch_size=4)
    for name, rule in rules.items():
        tried = settings(rule, trace.readiness[name])
        assert tried and {type(each) for each in tried} == {type(rule)}
        points = [play(each, name, trace) for each in tried]
        assert all(1 <= point.mean_segments <= DEPTH for point in points)
        if rule.dial and name != "verifier":
            assert len({getattr(each, rule.dial) for each in tried}) == len(tried)


def test_the_recording_holds_every_segment(model: HRM, examples: Examples) -> None:
    trace = record(model, examples, {"verifier": Verifier()}, DEPTH, even, batch_size=4)
    whole = answer(model, examples, Fixed(max_segments=DEPTH))
    assert trace.right.shape == trace.confidence.shape == (COUNT, DEPTH)
    assert trace.right.mean(axis=0).tolist() == whole.right_by_segment
    np.testing.assert_allclose(trace.confidence[:, -1], whole.confidence, rtol=1e-6)
    assert trace.rating.tolist() == list(range(COUNT))


def test_only_rules_that_fit_the_training_are_offered() -> None:
    assert set(rules_for(Fixed())) - set(TRAINING_FREE) == {"global_budget"}
    assert set(rules_for(QLearning())) - set(TRAINING_FREE) == {"q_learning", "correctness", "global_budget"}
    assert set(rules_for(Ponder())) - set(TRAINING_FREE) == {"ponder", "global_budget"}
    assert rules_for(Ponder())["global_budget"] == GlobalBudget(rules=(Confidence(),))
