"""A recording sees what each rule would see in a run of its own."""

from collections.abc import Callable

import numpy as np
import pytest

from hrmlab.analysis.candidates import TRAINING_FREE, rules_for
from hrmlab.analysis.replay import stops
from hrmlab.analysis.traces import record
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import Correctness, Fixed, GravesACT, HaltingConfig, Ponder, QLearning, Verifier
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


def test_the_recording_holds_every_segment(model: HRM, examples: Examples) -> None:
    trace = record(model, examples, {"verifier": Verifier()}, DEPTH, even, batch_size=4)
    whole = answer(model, examples, Fixed(max_segments=DEPTH))
    assert trace.right.shape == trace.confidence.shape == (COUNT, DEPTH)
    assert trace.right.mean(axis=0).tolist() == whole.right_by_segment
    np.testing.assert_allclose(trace.confidence[:, -1], whole.confidence, rtol=1e-6)
    assert trace.rating.tolist() == list(range(COUNT))


def test_only_rules_that_fit_the_training_are_offered() -> None:
    assert set(rules_for(Fixed())) == set(TRAINING_FREE)
    assert set(rules_for(QLearning())) - set(TRAINING_FREE) == {"q_learning", "correctness"}
    assert set(rules_for(Ponder())) - set(TRAINING_FREE) == {"ponder"}
