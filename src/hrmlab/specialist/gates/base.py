"""What gates share: the two configurations, where evidence goes, and what may be spent."""

from dataclasses import dataclass
from pathlib import Path

from hrmlab.results.specialist import Gate, Proposal
from hrmlab.specialist.ledger import Ledger
from hrmlab.training.config import RunConfig

ALPHA = 0.05
MARGIN = 0.02
"""What accuracy a change that is for something else may cost: two puzzles in a hundred."""


@dataclass(frozen=True)
class Trial:
    """A proposal at the gates.

    base, changed: configurations. target: what the base was called. seeds: pairs of runs. steps: optimiser steps of
    the base's. folder: of the consultation. sealed: the first of seeds that nobody could choose.
    """

    proposal: Proposal
    target: str
    base: RunConfig
    changed: RunConfig
    ledger: Ledger
    folder: Path
    seeds: int
    steps: int
    sealed: int
    quiet: bool

    def gate(self, name: str, passed: bool | None, summary: str, *evidence: str) -> Gate:
        return Gate(name, passed, summary, list(evidence))
