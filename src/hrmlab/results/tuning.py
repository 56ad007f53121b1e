"""What a search for a better run gives."""

from dataclasses import dataclass
from typing import Any

from hrmlab.results.base import Result


@dataclass(frozen=True)
class Tuning(Result):
    """A search and its confirmation.

    study: the folder. trials: by state, how many.
    front: the trials that none beats in both accuracy and cost, cheapest first; each with `number`, `preset`, `exact`,
        `cost` (operations for an answer) and `changes` (by dimension, what is not the preset's).
    importance: by dimension, its share in what decides the accuracy; empty with too few trials to say.
    candidate: the trial that was tried again on fresh seeds, None where the preset was best.
    decision: of the confirmation: "accept", "reject" or "inconclusive"; None where there was nothing to confirm.
    effect, p: the candidate's mean gain in held-out puzzles solved over the pairs, and its p-value.
    improved: whether `config` is the candidate; else it is the preset itself.
    conclusion: one sentence.
    config: a configuration file for `hrm train`. table, figure: of all trials; figure is None without matplotlib.
    """

    study: str
    trials: dict[str, int]
    front: list[dict[str, Any]]
    importance: dict[str, float]
    candidate: int | None
    decision: str | None
    effect: float | None
    p: float | None
    improved: bool
    conclusion: str
    config: str
    table: str
    figure: str | None
