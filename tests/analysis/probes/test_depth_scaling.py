"""D-28: models made to fall, to stand still, and to gain with depth."""

from dataclasses import replace

import pytest
import torch

from hrmlab.analysis.probes.depth_scaling import DepthScaling, depths


def answering_rightly(subject, when):
    """A model that gives the labels of its first puzzles at the n-th segment, from 1, if when(n, puzzle)."""
    one = subject(segments=4)
    segment = [0]

    def answer(_model, args, output):
        segment[0] += 1
        good = torch.tensor([when(segment[0], puzzle) for puzzle in range(len(output.logits))])
        wanted = torch.nn.functional.one_hot(args[1].labels, output.logits.shape[-1]).float()
        return replace(output, logits=torch.where(good[:, None, None], wanted, torch.zeros_like(wanted)))

    one.model.register_forward_hook(answer)
    return one


def test_a_fall_beyond_the_depth_of_training_is_found(subject):
    found = DepthScaling(deepest=16).run(answering_rightly(subject, lambda n, puzzle: n <= 4 or puzzle < 6))
    assert [finding.rule for finding in found.findings] == ["depth_scaling.falls"]
    assert found.findings[0].patch == {"halting.max_segments": 8}
    assert [(row["segments"], row["accuracy"]) for row in found.table] == [(1, 1), (2, 1), (4, 1), (8, 0.5), (16, 0.5)]
    assert found.table[3]["flops"] == 8 * found.scalars["flops_per_segment"]
    assert [row["segments"] for row in found.table if row["training"]] == [4]


def right(when, puzzles=12, segments=8):
    """Answers by segment, from 1, for puzzles, from 0."""
    return torch.tensor([[when(n, puzzle) for n in range(1, segments + 1)] for puzzle in range(puzzles)])


def test_a_model_that_gains_or_has_nothing_to_gain_is_sound():
    assert DepthScaling(deepest=8).judged(right(lambda n, puzzle: puzzle < n), 4) == []
    assert DepthScaling(deepest=8).judged(right(lambda _n, _puzzle: True), 4) == []


def test_one_lost_puzzle_is_no_fall():
    assert DepthScaling(deepest=8).judged(right(lambda n, puzzle: n <= 4 or puzzle > 0), 4) == []


def test_a_model_that_stands_still_short_of_the_answers_is_said():
    found = DepthScaling(deepest=8).judged(right(lambda _n, puzzle: puzzle < 3), 4)
    assert [(finding.rule, finding.severity) for finding in found] == [("depth_scaling.flat", "info")]


@pytest.mark.parametrize(
    ("deepest", "trained", "wanted"), [(8, 3, [1, 2, 3, 4, 8]), (6, 16, [1, 2, 4, 6]), (1, 1, [1])]
)
def test_depths(deepest, trained, wanted):
    assert depths(deepest, trained) == wanted
