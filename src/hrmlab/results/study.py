"""What an ablation found."""

from dataclasses import dataclass, field
from typing import Any

from hrmlab.results.base import Result

Ends = tuple[float, float]
"""Lower and upper end of a 95% interval."""


@dataclass(frozen=True)
class StudyArm:
    """What distinguishes an arm, and what it takes.

    overrides: what it changes of the study's base; empty for a reference that is the base.
    parameters: without a sparse puzzle table. segment_flops: one segment of inference of one puzzle. step_flops: one
        optimiser step of the whole batch. steps, flops: of a training run, None where the budget is in seconds.
    training_bytes, inference_bytes: weights, states, and for training all that goes with them, of a whole batch.
    milliseconds: of one puzzle in the final evaluation of a run, seconds: of a whole run, training and measuring; means
        over seeds, None where none is done.
    """

    name: str
    overrides: list[str]
    parameters: int
    segment_flops: int
    step_flops: int
    steps: int | None
    flops: int | None
    training_bytes: int
    inference_bytes: int
    milliseconds: float | None
    seconds: float | None


@dataclass(frozen=True)
class StudyCell:
    """One run. state: planned, running, done or failed; reason: why it is not done. results: by evaluation, measure."""

    id: str
    arm: str
    seed: int
    state: str
    reason: str | None
    attempts: int
    seconds: float | None
    results: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class StudyRow:
    """An arm by one measure under one evaluation, and how it compares with the reference.

    seeds: runs that are done. mean, interval: of the measure over those (None without any; no interval of one).
    pairs, effect, effect_interval: the mean gain over the reference, seed by seed; positive is better.
    over_items: interval of the gain over seeds and test puzzles. p: of the gain; adjusted_p: Holm's, over its family
        (`studies.outcome`).
    improvement: chance that a run of the arm beats one of the reference. detectable: the least true gain that so many
        pairs find four times in five. decision: accept, reject or inconclusive, for the reason given.
    All from `pairs` on are None (0, "") in the reference's own rows.
    """

    arm: str
    evaluation: str
    measure: str
    seeds: int
    mean: float | None
    interval: Ends | None
    pairs: int = 0
    effect: float | None = None
    effect_interval: Ends | None = None
    over_items: Ends | None = None
    p: float | None = None
    adjusted_p: float | None = None
    improvement: float | None = None
    detectable: float | None = None
    flops_ratio: float | None = None
    decision: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class StudyCurve:
    """Course of a measure in training: mean, least and most over the seeds that have reached a step."""

    arm: str
    measure: str
    steps: list[float]
    mean: list[float]
    low: list[float]
    high: list[float]


@dataclass(frozen=True)
class Study(Result):
    """A study with all its cells, run or not.

    study: its name. base: preset, run or file. reference: the arm that others are compared with. table: of every arm,
    by evaluation and measure. conclusion: one paragraph. matched: what is alike in all arms; what is not named was not.
    missing: by arm and seed, what kept a cell from being done. weights: which were measured. command: what repeats it.
    """

    study: str
    base: str
    design: str
    seeds: list[int]
    budget: dict[str, Any]
    reference: str
    arms: list[StudyArm]
    cells: list[StudyCell]
    table: list[StudyRow]
    curves: list[StudyCurve]
    conclusion: str
    matched: list[str]
    missing: dict[str, str]
    weights: str
    command: str
    folder: str
    reused: int
    files: list[str] = field(default_factory=list)
