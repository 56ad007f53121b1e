"""Accuracies, with the protocol that they were measured under."""

from dataclasses import dataclass
from typing import Any

from hrmlab.results.base import Result


@dataclass(frozen=True)
class Protocol:
    """What an accuracy depends on beside the weights' configuration; no accuracy is given without it.

    data: where the puzzles come from and how training and held-out ones are kept apart.
    seed: of the puzzles' generation, None where they were read from files.
    halting: the policy, as its configuration.
    segments: the most that any puzzle could take.
    weights: which weights ("averaged" or "last") and their step, where known.
    engine: what computed the segments; engines agree but for rounding.
    """

    task: dict[str, Any]
    data: str
    split: str
    seed: int | None
    halting: dict[str, Any]
    segments: int
    weights: str
    device: str
    dtype: str
    versions: dict[str, str]
    engine: str = "eager"


@dataclass(frozen=True)
class Scores(Result):
    """Accuracy over n puzzles.

    exact: share of puzzles with every scored cell right; exact_interval: its 95% Wilson interval.
    cell: share of scored cells that are right.
    valid: share of answers that solve their puzzle by the task's rules; that are well-formed, where these are written
        nowhere (a table, ARC).
    mean_segments, p95_segments: segments until the halt.
    by_segment: `exact` had every puzzle stopped after segment 1, 2, ... at the latest.
    """

    n: int
    exact: float
    exact_interval: tuple[float, float]
    cell: float
    valid: float
    valid_interval: tuple[float, float]
    mean_segments: float
    p95_segments: float
    by_segment: list[float]
    seconds: float
    puzzles_per_second: float


@dataclass(frozen=True)
class Tries:
    """Several attempts at each puzzle, one answer chosen without labels; segments are those of all attempts together.

    attempts: by each of the `models`. vary: what made them differ. select: how one was chosen.
    oracle_any_right: share of puzzles that some attempt answered rightly. Reads the labels: a bound on what choosing
        better could give, not an accuracy.
    """

    attempts: int
    models: int
    vary: str
    select: str
    oracle_any_right: float


@dataclass(frozen=True)
class Evaluation(Scores):
    """Accuracy on held-out puzzles, with what it depends on.

    passes: where puzzles are answered by vote over their variants (ARC), by k ("1", "2", ...): the share of puzzles
        whose answer is among the k candidates with most votes; a puzzle with several tests counts by their share. `n`,
        `exact` and the others are over all variants. None for other tasks.
    voted_puzzles: over how many puzzles.
    tries: where there were several attempts at each puzzle; `by_segment` is then empty.
    """

    protocol: Protocol
    passes: dict[str, float] | None = None
    voted_puzzles: int | None = None
    tries: Tries | None = None
