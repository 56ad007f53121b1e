"""Halting rules compared."""

from dataclasses import dataclass
from typing import Any

from hrmlab.results.base import Result
from hrmlab.results.evaluation import Protocol


@dataclass(frozen=True)
class HaltingRule:
    """One halting rule on recorded weights, its threshold picked on the validation puzzles, its numbers on the others.

    rule: the configuration that the numbers belong to; threshold: its dial, None for a rule without one.
    accuracy, mean_segments, p50_segments, p95_segments, max_segments: of the puzzles where the rule stops them.
    precision: of those that the rule stopped, the share right. recall: of those right at some segment, the share
        stopped while right.
    premature: share stopped wrong that would have been right later. overrun: mean segments spent after the first right
        answer. unsolvable: share of the segments that went into puzzles that are never right.
    difficulty: Spearman's correlation of segments with the puzzles' rating.
    curve: threshold, accuracy, mean_segments, p95_segments, precision, recall over the sweep.
    """

    name: str
    rule: dict[str, Any]
    threshold: float | None
    accuracy: float
    mean_segments: float
    p50_segments: float
    p95_segments: float
    max_segments: int
    precision: float | None
    recall: float | None
    premature: float
    overrun: float
    unsolvable: float
    difficulty: float | None
    curve: list[dict[str, Any]]


@dataclass(frozen=True)
class HaltingReport(Result):
    """Halting rules compared on one set of weights, without retraining.

    segments: the depth that everything was recorded to, and every rule's limit.
    validation, test: puzzles on which thresholds were picked, and on which the numbers stand.
    wanted: accuracy that a threshold had to keep on the validation puzzles.
    fixed: everyone stopped after segment 1, 2, ...: segments, accuracy. oracle: everyone stopped at the first right
        answer, which reads the labels.
    calibration: of a probability of being right (`of`: the halting head's, or the least sure cell's where the head was
        not taught that): ece, ece_mass, brier, auroc, reliability; by_segment for segments 1, 2, 4, ...
    overthinking: lost, relapses, never, after.
    best: the rule with the fewest segments among those that keep the accuracy, both on the validation puzzles.
    """

    run: str
    segments: int
    validation: int
    test: int
    wanted: float
    rules: list[HaltingRule]
    fixed: list[dict[str, float]]
    oracle: dict[str, Any]
    calibration: dict[str, Any]
    overthinking: dict[str, Any]
    best: str | None
    files: list[str]
    protocol: Protocol


@dataclass(frozen=True)
class HaltingChoice(Result):
    """The rule that a run's configuration now names for evaluation and solving, and what it replaced."""

    run: str
    rule: dict[str, Any]
    before: dict[str, Any]
    accuracy: float
    mean_segments: float
    full_accuracy: float
    segments: int
