"""What gates share: the base, the place where a change is run, where evidence goes, and what may be spent."""

from dataclasses import dataclass, field
from typing import Any, Protocol

from hrmlab.results.specialist import Gate, Proposal
from hrmlab.specialist.ledger import Ledger
from hrmlab.studies.plan import Allowance
from hrmlab.training.config import RunConfig

ALPHA = 0.05
MARGIN = 0.02
"""What accuracy a change that is for something else may cost: two puzzles in a hundred."""


@dataclass(frozen=True)
class Scores:
    """Paired runs: of the base and of the change, in the order of their seeds.

    exact, mean_segments: of held-out puzzles. missing: runs without a score. about: how they were made.
    """

    exact: tuple[list[float], list[float]]
    mean_segments: tuple[list[float], list[float]]
    missing: int = 0
    about: dict[str, Any] = field(default_factory=dict)


class Place(Protocol):
    """Where base and change are run: here, or, if the change brings code, confined."""

    def measure(self, what: str) -> dict[str, Any]:
        """`build`, `numerics` or `cost` of both, each measured once.

        Raises:
            ConfigError: the changed model cannot be built.
        """

    def ratio(self) -> float:
        """What a training step of the change costs, as a multiple of the base's."""

    def unlearnt(self) -> float | None:
        """Exact answers of the change before any training; None where all code is ours, which answers nothing then."""

    def misled(self, steps: int) -> float:
        """Exact answers of the change after training on labels of other puzzles."""

    def compare(self, budget: Allowance, first_seed: int, seeds: int) -> Scores:
        """Train both on the same seeds and score them on held-out puzzles."""


@dataclass(frozen=True)
class Trial:
    """A proposal at the gates.

    base: its configuration. touched: settings that the change sets to something else. place: where it is run. seeds:
    pairs of runs. steps: optimiser steps of the base's. sealed: the first of seeds that nobody could choose.
    """

    proposal: Proposal
    base: RunConfig
    touched: list[str]
    place: Place
    ledger: Ledger
    seeds: int
    steps: int
    sealed: int
    quiet: bool

    def gate(self, name: str, passed: bool | None, summary: str, *evidence: str) -> Gate:
        return Gate(name, passed, summary, list(evidence))
