"""Lenses show what the model itself would say one update later; steps by hand."""

import pytest
import torch

from hrmlab.analysis.probes.decoding import Decoding
from hrmlab.analysis.probes.lenses import last_changes, solve_steps, views
from hrmlab.core.schedules import HRMTextSchedule, SingleState, TRMSchedule


@pytest.mark.parametrize("parts", [{}, {"schedule": TRMSchedule(high_cycles=2, low_cycles=2)}])
def test_the_preview_is_the_plain_lens_one_update_later(subject, parts):
    one = subject(segments=2, **parts)
    found = views(one.model, one.batch, 2)
    for low, high in ((1, 2), (4, 5), (7, 8)):
        assert torch.equal(found["preview"].tokens[:, low], found["plain"].tokens[:, high])
        assert torch.allclose(found["preview"].entropy[:, low], found["plain"].entropy[:, high], atol=1e-4)


def test_of_a_single_state_the_preview_runs_one_update_ahead(subject):
    one = subject(segments=2, schedule=SingleState(cycles=3))
    found = views(one.model, one.batch, 2)
    assert torch.equal(found["preview"].tokens[:, :-1], found["plain"].tokens[:, 1:])


def test_at_the_ends_of_segments_the_plain_lens_is_the_model(subject):
    one = subject(segments=3, schedule=HRMTextSchedule())
    rows = len(one.model.schedule.updates)
    assert torch.equal(views(one.model, one.batch, 3)["plain"].tokens[:, rows - 1 :: rows], one.course.tokens)


def test_steps_by_hand():
    tokens = torch.tensor([[[1, 1], [2, 1], [2, 3], [2, 3]]])
    assert last_changes(tokens).tolist() == [[1, 2]]
    assert solve_steps(torch.tensor([[False, True, False], [False, False, False]])).tolist() == [1, 3]


def test_columns_are_those_of_the_course(subject):
    one = subject(segments=3)
    found = Decoding().run(one)
    ends = [row for row in found.table if row["row"] == 5]
    labels, unknown = one.batch.labels, one.unknown_cells()
    for segment, row in enumerate(ends):
        right = (one.course.tokens[:, segment] == labels) & unknown
        assert row["plain_cells"] == pytest.approx(float((right.sum(1) / unknown.sum(1)).mean()), abs=1e-5)
        entropy = row["plain_entropy"]
        assert 0 < entropy <= torch.log(torch.tensor(6.0)) + 1e-4
    for row in found.table:
        for lens in ("plain", "preview"):
            parts = sum(row[f"{lens}_{name}"] for name in ("mended", "spoilt", "swapped"))
            assert row[f"{lens}_churn"] == pytest.approx(parts, abs=1e-5)
            assert row[f"{lens}_conflicts"] > 0
    gained = sum(row["plain_mended"] - row["plain_spoilt"] for row in found.table)
    assert found.table[-1]["plain_cells"] - found.table[0]["plain_cells"] == pytest.approx(gained, abs=1e-4)


def test_a_model_that_is_shown_the_answer_by_its_low_level_is_ahead_in_the_preview(subject):
    """The low level writes the solution; the high one passes on what it is given, and so shows it an update later."""
    one = subject(segments=1)
    written = torch.nn.functional.one_hot(one.batch.labels, 16).float()
    with torch.no_grad():
        one.model.embedding.answer.weight.copy_(torch.eye(16)[: one.task.spec().vocab_size])
    one.model.networks["low"].register_forward_hook(lambda _m, _a, out: written[: len(out)])
    one.model.networks["high"].register_forward_hook(lambda _m, args, _out: args[0] * 100)
    with torch.no_grad():
        one.model.initial.zero_()
    found = Decoding().run(one)
    assert [row["preview_exact"] for row in found.table] == [1.0] * 6
    assert [row["plain_exact"] for row in found.table] == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    assert found.scalars["plain_solve"] == 2 and found.scalars["preview_ahead"] == 2
    assert found.table[-1]["plain_conflicts"] == 0
