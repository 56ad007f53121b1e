"""D-26: one puzzle of each kind, written by hand."""

from dataclasses import replace

import pytest
import torch

from hrmlab.analysis.probes.patterns import PATTERNS, Patterns, classes
from hrmlab.halting import Correctness

RIGHT = {
    "immediate": [1, 1, 1, 1],
    "delayed": [0, 0, 1, 1],
    "stuck": [0, 0, 0, 0],
    "wandering": [0, 0, 0, 0],
    "un-solved": [0, 1, 1, 0],
}


def planted(subject, kinds, **parts):
    one = subject(segments=4, **parts)
    kinds = [kinds[at % len(kinds)] for at in range(len(one.examples))]
    right = torch.tensor([RIGHT[kind] for kind in kinds]).bool()
    drift = torch.tensor([0.5 if kind == "wandering" else 0.001 for kind in kinds])
    one.course = replace(one.course, right=right, change=drift[:, None, None].expand(-1, 4, 16))
    return one


def test_each_kind_is_told():
    right = torch.tensor(list(RIGHT.values())).bool()
    settled = torch.tensor([kind != "wandering" for kind in RIGHT])
    assert [PATTERNS[at] for at in classes(right, settled)] == list(RIGHT)
    assert int(classes(torch.tensor([[True, False, True]]), torch.tensor([True]))) == PATTERNS.index("delayed")


def test_shares_and_steps(subject):
    found = Patterns().run(planted(subject, ["immediate", "delayed", "wandering"]))
    rows = {row["pattern"]: row for row in found.table}
    assert rows["delayed"]["puzzles"] == 4 and rows["delayed"]["solve"] == 3 and rows["delayed"]["turns"] == 1
    assert rows["wandering"]["drift"] == pytest.approx(0.5) and rows["wandering"]["solve"] is None
    assert rows["stuck"]["share"] == 0 and rows["stuck"]["drift"] is None
    assert found.verdict == "ok"


def test_puzzles_that_are_right_and_then_wrong_are_found(subject):
    found = Patterns().run(planted(subject, ["un-solved", "delayed"]))
    assert [finding.rule for finding in found.findings] == ["patterns.unsolved"]
    assert "6 of 12" in found.findings[0].seen


def test_stuck_puzzles_are_found_with_a_patch_where_there_is_one(subject):
    found = Patterns().run(planted(subject, ["stuck", "delayed"]))
    assert [finding.rule for finding in found.findings] == ["patterns.stuck"]
    assert found.findings[0].patch == {"evaluation.restart_every": 4}
    already = Correctness(max_segments=64, restart_every=8)
    assert Patterns().run(planted(subject, ["stuck"], evaluation=already)).findings[0].patch == {}
