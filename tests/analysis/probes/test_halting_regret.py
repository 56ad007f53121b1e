"""D-35: regrets by hand; a rule that stops too early is found and mended."""

import copy

import numpy as np
import pytest
import torch

from hrmlab.analysis.probes.halting_regret import HaltingRegret, regrets
from hrmlab.analysis.probes.replaying import Replay
from hrmlab.analysis.traces import Trace
from hrmlab.halting import Correctness, Fixed
from hrmlab.halting.compositions import GlobalBudget


def replay(right: list[str], at: list[int]) -> Replay:
    """Puzzles as "01" strings, an answer a segment."""
    flags = np.array([[c == "1" for c in row] for row in right])
    trace = Trace(flags, flags.astype(float), {}, np.zeros(len(right), dtype=np.int64))
    stopped = np.array(at)
    return Replay(Fixed(), trace, flags.astype(float), stopped, np.ones(len(at), dtype=bool))


def test_regrets_by_hand():
    #             premature   overrun   unsolvable  late by two
    found = regrets(replay(["0011", "0100", "0000", "0111"], [1, 4, 4, 4]), price=0.1)
    assert found["premature"] == 0.25 and found["overrun"] == 0.25 and found["unsolvable"] == 0.25
    assert found["accuracy"] == 0.25 and found["accuracy_regret"] == 0.5 and found["segments"] == 13 / 4
    assert found["compute_regret"] == pytest.approx((0 + 2 + 2) / 3)
    # best utilities 0.7, 0.8, -0.1, 0.8; got -0.1, -0.4, -0.4, 0.6
    assert found["priced_regret"] == pytest.approx((0.8 + 1.2 + 0.3 + 0.2) / 4)


def test_the_oracle_regrets_nothing():
    found = regrets(replay(["001", "100"], [3, 1]), price=0.01)
    assert found["priced_regret"] == 0 and found["compute_regret"] == 0 and found["accuracy_regret"] == 0


def test_a_head_that_says_right_too_soon_is_found_with_a_cutoff_that_mends_it(shipped):
    one = shipped("sudoku-6x6", 16, 6)
    one.model = copy.deepcopy(one.model)
    with torch.no_grad():
        one.model.halting_head.linear.bias[0] += 6.0
    one.evaluation = Correctness(threshold=0.5, max_segments=6)
    found = HaltingRegret().run(one)
    early = next(finding for finding in found.findings if finding.rule == "halting_regret.premature")
    mended = Correctness(max_segments=6, threshold=early.patch["evaluation.threshold"])
    one.evaluation = mended
    again = HaltingRegret().run(one)
    assert again.scalars["accuracy"] > found.scalars["accuracy"] and again.scalars["premature"] == 0


def test_shipped_models_stop_well(shipped):
    found = HaltingRegret().run(shipped("sudoku-6x6", 16, 6))
    assert found.verdict == "ok"
    assert {row["frontier"] for row in found.table} == {"fixed", "rule", "own", "oracle"}


def test_nothing_right_and_rules_over_a_batch(subject):
    found = HaltingRegret().run(subject(segments=2))
    assert found.verdict == "ok" and found.scalars["unsolvable"] == 1 and found.scalars["compute_regret"] is None
    assert HaltingRegret().run(subject(segments=2, evaluation=GlobalBudget())).verdict == "n/a"
