"""What came of a trial, and which trials no other one beats."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from hrmlab.studies.tuning.halving import Score, dominates
from hrmlab.studies.tuning.space import Value


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One point of the search.

    state: "done"; "stopped" at a rung; "outside" the limits or incoherent, never trained; "failed"; or "running".
    preset: it is the run that the search began from.
    score: at the end of its budget; None unless it is done.
    rungs: by rung, the score there.
    needs: as far as they were known (`limits.Needs`).
    reason: why it is outside or failed.
    """

    number: int
    state: Literal["done", "stopped", "outside", "failed", "running"]
    preset: bool
    point: dict[str, Value]
    score: Score | None = None
    rungs: dict[int, Score] = field(default_factory=dict)
    needs: dict[str, float] = field(default_factory=dict)
    reason: str | None = None


def front(trials: Sequence[Trial]) -> list[Trial]:
    """The trials that are done and that none is better than in both accuracy and cost, the cheapest first."""
    done = [(trial, trial.score) for trial in trials if trial.score is not None]
    kept = [trial for trial, score in done if not any(dominates(other, score) for _, other in done)]
    return sorted(kept, key=lambda trial: trial.score.cost if trial.score else 0.0)


def most_accurate(trials: Sequence[Trial]) -> Trial | None:
    """The most accurate trial, the cheapest among equals; None if the preset is, or nothing is done."""
    done = [(trial, trial.score) for trial in trials if trial.score is not None]
    if not done:
        return None
    best, score = max(done, key=lambda pair: (pair[1].exact, -pair[1].cost))
    preset = next((score for trial, score in done if trial.preset), None)
    return None if best.preset or (preset is not None and score.exact <= preset.exact) else best
