"""D-07: terms add up to the whole gradient; a halting loss against the answer is found with its share."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from hrmlab.analysis.probes.loss_conflict import LossConflict, term_gradients
from hrmlab.analysis.probes.maths.gradients import flat, training_gradient
from hrmlab.analysis.probes.maths.slots import fresh_slots, training_batch
from hrmlab.halting import Fixed

SMALL = LossConflict(puzzles=8, segments=2)


@dataclass(frozen=True, kw_only=True)
class Against(Fixed):
    """A halting loss that is `times` the negative of the answer's: it looks the labels up."""

    kind: str = "against"
    inputs: torch.Tensor
    labels: torch.Tensor
    times: float = 2.0

    def losses(self, view, outcome):
        rows = (self.inputs == view.inputs[:, None]).all(-1).int().argmax(1)
        answer = F.cross_entropy(view.logits.flatten(0, 1), self.labels[rows].flatten(), reduction="sum")
        return {"against": -self.times * answer / self.labels.shape[1]}


def _against(subject, times):
    batch = training_batch(subject(), 8)
    policy = Against(max_segments=1, inputs=batch.inputs, labels=batch.labels, times=times)
    return subject(halting=policy, segments=2, settings={"halting": {"weight": 0.5}})


def test_terms_add_up(subject):
    one = subject(segments=2)
    slots = fresh_slots(one, one.some(4))
    terms = term_gradients(one, slots)
    assert set(terms) == {"answer", "q_halt", "q_continue"}
    total = sum(flat(found) for found in terms.values())
    assert torch.allclose(total, flat(training_gradient(one, slots)), atol=1e-6)


def test_a_loss_that_undoes_the_answers_is_found(subject):
    found = SMALL.run(_against(subject, 2.0))
    assert abs(found.scalars["undone_against"] - 2) < 1e-4
    assert abs(found.scalars["share_against"] - 2) < 1e-4
    assert [finding.rule for finding in found.findings] == ["loss_conflict.halting"]
    assert found.findings[0].patch == {"halting.weight": 0.1}
    assert all(abs(row["cosine"] + 1) < 1e-4 for row in found.table if row["what"] == "term" and row["cosine"])


def test_a_weaker_one_is_measured_and_left(subject):
    found = SMALL.run(_against(subject, 0.5))
    assert abs(found.scalars["undone_against"] - 0.5) < 1e-4
    assert found.verdict == "ok"


def test_every_pair_is_compared(subject):
    found = LossConflict(puzzles=8, segments=3, parts=4).run(subject())
    kinds = [row["what"] for row in found.table]
    assert kinds.count("segment") == 3
    assert kinds.count("batch") == 6
    assert -1 <= found.scalars["confusion"] <= 1
    assert found.verdict == "ok"


def test_a_policy_without_losses_has_no_terms(subject):
    found = SMALL.run(subject(halting=Fixed(max_segments=2), segments=2))
    assert {row["what"] for row in found.table} == {"batch", "segment"}


def test_a_trained_model_is_silent(shipped):
    assert SMALL.run(shipped("sudoku-4x4", 12, 4)).verdict == "ok"
