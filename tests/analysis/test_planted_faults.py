"""Faults planted one at a time: each is found by its own rule and by no other; sound models are left in peace.

The sound models are those that come with the package; attention and puzzle identifiers, which they lack, are planted in
small models of their own.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from hrmlab.analysis.probes import PROBES, Subject
from hrmlab.analysis.probes.attention_capture import AttentionCapture
from hrmlab.analysis.probes.attention_entropy import AttentionEntropy
from hrmlab.analysis.probes.coupling import Coupling
from hrmlab.analysis.probes.data import Data
from hrmlab.analysis.probes.forward_residual import ForwardResidual
from hrmlab.analysis.probes.gradient_bias import GradientBias
from hrmlab.analysis.probes.gradient_path import GradientPath
from hrmlab.analysis.probes.interventions import Interventions
from hrmlab.analysis.probes.numerics import Numerics
from hrmlab.analysis.probes.puzzle_embedding import PuzzleEmbedding
from hrmlab.analysis.probes.q_learning import HaltingValues
from hrmlab.analysis.probes.token_collapse import TokenCollapse
from hrmlab.analysis.probes.updates import Updates
from hrmlab.analysis.tracing import answering, batch_of
from hrmlab.api.diagnosing import chosen, copied_trainer, examined, measured, worst_first
from hrmlab.api.targets import find_run, shipped_models
from hrmlab.blocks import PostNorm, Size
from hrmlab.config import encode
from hrmlab.core import act
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedule import INPUT
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import PuzzleConfig, Rotary, Tokens
from hrmlab.halting import QLearning
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.spec import TaskSpec
from hrmlab.tasks.base import Examples
from hrmlab.tasks.sudoku import Sudoku
from hrmlab.training.config import RunConfig
from hrmlab.training.optimisers import AdamW

HRM_PROPER = "hrm-sudoku-6x6"
BOARD = Sudoku(box_rows=2, box_cols=2)
PROBES_THAT_FAIL = (
    AttentionCapture(puzzles=4),
    AttentionEntropy(puzzles=4, segments=2),
    Coupling(puzzles=4),
    Data(),
    ForwardResidual(),
    GradientBias(puzzles=4, iterations=5, noise=0.0),
    GradientPath(puzzles=4),
    Interventions(puzzles=4, segments=2, heads=1, times=1, cells=1),
    Numerics(puzzles=4),
    PuzzleEmbedding(puzzles=12),
    HaltingValues(),
    TokenCollapse(),
    Updates(),
)
"""Every probe that knows a failure, at its smallest."""


def failures(subject: Subject) -> set[str]:
    """Rules of the findings that are not mere notes."""
    findings = worst_first(measured(subject, PROBES_THAT_FAIL, quiet=True))
    return {finding.rule for finding in findings if finding.severity != "info"}


def test_no_probe_that_knows_a_failure_is_left_out() -> None:
    able = {entry.name for entry in PROBES if '"fail"' in inspect.getsource(inspect.getmodule(entry.config))}
    assert able | {"attention_entropy"} == {probe.kind for probe in PROBES_THAT_FAIL}


def sound(name: str = HRM_PROPER, n: int = 24, **changes: Any) -> Subject:
    """A shipped model, loaded anew; changes of its configuration take part in its training only."""
    subject, _ = examined(name, (), n, 4, 0, "cpu", True)
    config = find_run(name).config
    if changes:
        config = replace(config, training=replace(config.training, **changes))
    return retrained(subject, config)


def retrained(subject: Subject, config: RunConfig) -> Subject:
    assert subject.train is not None
    train = subject.train
    return replace(subject, settings=encode(config), learner=lambda: copied_trainer(config, train, subject.model))


@pytest.mark.parametrize("name", shipped_models())
def test_a_sound_model_is_left_in_peace(name: str) -> None:
    subject, _ = examined(name, (), 8, 4, 0, "cpu", True)
    findings = worst_first(measured(subject, chosen("economy"), quiet=True))
    assert [finding for finding in findings if finding.severity != "info"] == []
    assert failures(subject) == set()


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
    rows = tuple(replace(row, sources=(INPUT,)) if row.target == "high" else row for row in schedule.updates)
    for model in (subject.model, subject.untrained):
        model.schedule = _unchecked(schedule, rows)
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


def fresh(puzzle: PuzzleConfig | None = None) -> Subject:
    """A fresh HRM with attention on 4x4 Sudoku, without training."""
    torch.manual_seed(0)
    size = Size(width=16, layers=2, heads=2, round_to=8)
    parts = {"schedule": HRMSchedule(), "block": PostNorm(), "embedding": Tokens(), "positions": Rotary()}
    spec = replace(BOARD.spec(), num_identifiers=13 if puzzle else 1)
    split, rule = BOARD.generate(24, 12, 0), QLearning(max_segments=2)
    return Subject(
        model=HRM(ModelConfig(**parts, puzzle=puzzle, size=size), spec).eval(),
        task=BOARD,
        examples=split.test,
        train=split.train,
        loss=SoftmaxCrossEntropy(),
        halting=rule,
        evaluation=rule,
        segments=2,
    )


def test_a_fresh_model_with_attention_is_left_in_peace() -> None:
    assert failures(fresh()) == set()


def attention_on_one_token() -> Subject:
    """Queries and keys a thousand times too long."""
    subject = fresh()
    with torch.no_grad():
        for network in subject.model.networks.values():
            for block in network.blocks:
                block.attention.qkv.weight[:32] *= 1000
    return subject


def identifiers_off_by_one() -> Subject:
    """Puzzles whose answers hang on their identifiers, each under its neighbour's."""
    subject = fresh(PuzzleConfig(width=16, init_std=20.0))

    def numbered(part: Examples) -> Examples:
        part = replace(part, identifiers=1 + np.arange(len(part), dtype=np.int32) % 12)
        said = answering(subject.model, batch_of(subject.model, part), 2).tokens[:, -1]
        return replace(part, labels=said.numpy().astype(np.int32))

    assert subject.train is not None
    train, test = numbered(subject.train), numbered(subject.examples)
    mixed = replace(test, identifiers=np.roll(test.identifiers, -1))
    return replace(subject, task=_Lenient(), train=train, examples=mixed)


@dataclass(frozen=True, kw_only=True)
class _Lenient(Sudoku):
    """4x4 boards on which every answer is allowed: the model's own are its labels."""

    box_rows: int = 2
    box_cols: int = 2

    def spec(self) -> TaskSpec:
        return replace(super().spec(), num_identifiers=13)

    def valid(self, inputs: Any, answers: Any) -> Any:
        return np.ones(len(inputs), dtype=np.bool_)


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
    "attention_entropy.collapsed": attention_on_one_token,
    "puzzle_embedding.ids_do_not_fit": identifiers_off_by_one,
}


@pytest.mark.parametrize("rule", FAULTS)
def test_each_fault_is_found_by_its_own_rule_alone(rule: str) -> None:
    assert failures(FAULTS[rule]()) == {rule}


def test_a_missing_detach_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, subject = act.following, sound()
    monkeypatch.setattr(act, "following", lambda *given, **named: whole(*given, **named | {"attached": True}))
    assert failures(subject) == {"gradient_path.leak"}
