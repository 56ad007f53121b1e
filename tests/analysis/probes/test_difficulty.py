"""D-27: correlations that are planted, and bins by hand."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from hrmlab.analysis.probes.difficulty import Difficulty, climb, equal_bins


def planted(subject, rating, first, segments=6):
    """Puzzles of these ratings that become right at these segments, from 1, and stay so."""
    one = subject(segments=segments)
    one.examples = replace(one.examples.part(slice(len(rating))), rating=np.asarray(rating, np.int64))
    right = torch.arange(1, segments + 1) >= torch.tensor(first)[:, None]
    blank = torch.ones_like(one.batch.labels)[:, None].expand(-1, segments, -1)
    tokens = torch.where(right[..., None], one.batch.labels[:, None], blank)
    one.course = replace(one.course, right=right, tokens=tokens)
    return one


def test_harder_puzzles_that_take_longer_correlate(subject):
    found = Difficulty(bins=2).run(planted(subject, [1, 2, 3, 4], [1, 2, 3, 9]))
    assert found.scalars["spearman"] == pytest.approx(1)
    assert found.scalars["spearman_solved"] == pytest.approx(1)
    assert [(row["rating_low"], row["rating_high"], row["accuracy"]) for row in found.table] == [(1, 2, 1), (3, 4, 0.5)]
    assert [row["segments"] for row in found.table] == [1.5, 3]
    assert found.scalars["climb"] == 1


def test_ratings_that_do_not_vary_or_are_not_known_give_none(subject):
    assert Difficulty().run(planted(subject, [3, 3, 3, 3], [1, 2, 3, 4])).scalars["spearman"] is None
    found = Difficulty().run(planted(subject, [-1, -1, -1, -1], [1, 2, 3, 4]))
    assert found.scalars["spearman"] is None and found.table == []


def test_answers_that_overwrite_the_givens_are_found(subject):
    found = Difficulty().run(planted(subject, [1, 2, 3, 4], [9, 9, 9, 9]))
    assert [finding.rule for finding in found.findings] == ["difficulty.givens_changed"]
    assert found.scalars["givens_changed"] == 1
    assert found.scalars["spearman_singles"] is None


def test_cells_filled_in_the_order_of_singles_correlate(subject):
    one = planted(subject, [0] * 12, [1] * 12, segments=8)
    from hrmlab.tasks.sudoku.singles import rounds

    order = torch.from_numpy(rounds(one.task.board, np.maximum(one.examples.inputs - 1, 0)))
    segment = torch.arange(8)[None, :, None]
    labels, inputs = one.batch.labels[:, None], one.batch.inputs[:, None]
    one.course = replace(one.course, tokens=torch.where(segment >= order[:, None].clamp_min(0), labels, inputs))
    assert Difficulty().run(one).scalars["spearman_singles"] == pytest.approx(1)


def test_climb_by_hand():
    labels = torch.tensor([[1, 1, -100]])
    down = torch.tensor([[[0, 0, 5], [1, 0, 6], [0, 0, 7], [1, 1, 8]]])
    assert climb(down, labels) == pytest.approx(2 / 3)
    assert climb(down[:, :1], labels) is None


def test_bins_keep_equal_ratings_together():
    bins = equal_bins(torch.tensor([0, 0, 0, 0, 5, 9, -1]), 3)
    assert [rows.tolist() for rows in bins] == [[0, 1, 2, 3], [4, 5]]
