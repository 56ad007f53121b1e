"""D-08: ranks by hand; identifiers that fit, and the same ones mixed up."""

import copy
from dataclasses import replace
from itertools import cycle

import numpy as np
import pytest
import torch

from hrmlab.analysis.probes.maths.slots import fresh_slots
from hrmlab.analysis.probes.puzzle_embedding import PuzzleEmbedding, effective_rank, others
from hrmlab.analysis.tracing.unroll import answering, batch_of
from hrmlab.core.model import HRM
from hrmlab.embeddings.puzzle import PuzzleConfig
from hrmlab.training.config import RunConfig, TrainingConfig
from hrmlab.training.feeder import Feeder
from hrmlab.training.loop import Trainer
from hrmlab.training.optimisers import AdamW

SMALL = PuzzleEmbedding(puzzles=12)


def _identified(subject, puzzles, std=20.0):
    """A model whose answers hang on its table of 13 rows, with the answers that it gives as labels."""
    plain = subject()
    config = replace(plain.model.config, puzzle=PuzzleConfig(width=16, init_std=std))
    model = HRM(config, replace(plain.model.spec, num_identifiers=13))
    one = subject(model, segments=2)

    def numbered(part):
        part = replace(part, identifiers=1 + np.arange(len(part), dtype=np.int32) % 12)
        said = answering(one.model, batch_of(one.model, part), 2).tokens[:, -1]
        return replace(part, labels=said.numpy().astype(np.int32))

    return replace(one, examples=numbered(puzzles.test), train=numbered(puzzles.train))


def test_own_identifiers_win_where_they_fit(subject, puzzles):
    found = SMALL.run(_identified(subject, puzzles))
    assert found.verdict == "ok"
    assert found.scalars["cells_own"] == 1
    assert found.scalars["cells_shuffled"] < 0.95
    assert found.scalars["identifiers"] == 12
    assert found.scalars["untouched"] == 0


def test_identifiers_that_are_off_by_one_are_found(subject, puzzles):
    one = _identified(subject, puzzles)
    mixed = replace(one.examples, identifiers=np.roll(one.examples.identifiers, -1))
    found = SMALL.run(replace(one, examples=mixed))
    assert [finding.rule for finding in found.findings] == ["puzzle_embedding.ids_do_not_fit"]


def test_an_untrained_table_is_no_fault(subject, puzzles):
    one = _identified(subject, puzzles, std=0.0)
    found = SMALL.run(one)
    assert found.verdict == "ok"
    assert found.scalars["untouched"] == 1
    assert found.scalars["effective_rank"] is None
    assert {row["changed"] for row in found.table} == {0}


def test_without_a_table_there_is_nothing_to_measure(subject):
    assert SMALL.run(subject()).verdict == "n/a"


class Moving:
    """A learner that adds these steps to all rows, over and over."""

    def __init__(self, one, steps):
        self.model, self.optimisers = copy.deepcopy(one.model), []
        self.carry, self.steps = fresh_slots(one, one.some(4)), cycle(steps)

    def step(self):
        self.model.puzzles.rows += next(self.steps)


@pytest.mark.parametrize(("steps", "rate"), [((1.0,), 0), ((1.0, -1.0), 1), ((1.0, 1.0, -1.0, -1.0), 1 / 3)])
def test_turns_are_counted(subject, puzzles, steps, rate):
    one = _identified(subject, puzzles)
    one.learner = lambda: Moving(one, steps)
    found = PuzzleEmbedding(puzzles=2, steps=4).run(one)
    assert abs(found.scalars["flip_rate"] - rate) < 1e-5


def test_a_real_training_is_watched(subject, puzzles):
    one = _identified(subject, puzzles)
    training = TrainingConfig(optimiser=AdamW(), steps=100, batch_size=3)
    config = RunConfig(name="t", task=one.task, model=one.model.config, training=training, halting=one.halting)
    one.learner = lambda: Trainer(config, copy.deepcopy(one.model).train(), Feeder(one.train, 0))
    found = PuzzleEmbedding(puzzles=2, steps=3).run(one)
    assert 0 <= found.scalars["flip_rate"] <= 1


def test_effective_rank_of_known_tables():
    assert abs(effective_rank(torch.eye(5)) - 5) < 1e-4
    assert abs(effective_rank(torch.ones(4, 3)) - 1) < 1e-3
    assert effective_rank(torch.zeros(4, 3)) is None


def test_shuffled_identifiers_are_never_the_own():
    own = torch.tensor([3, 1, 1, 2, 3, 2])
    found = others(own, 9, torch.Generator().manual_seed(0))
    assert (found["shuffled"] != own).all()
    assert sorted(found["shuffled"].tolist()) == sorted(own.tolist())
    assert found["blank"].tolist() == [0] * 6
    assert int(found["random"].min()) >= 1
