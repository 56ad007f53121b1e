"""What code of others is asked beyond the other gates: that it answers nothing that it cannot have learnt, and that
wonders are looked at by a person."""

from collections.abc import Iterator

from hrmlab.results.specialist import Gate
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import Trial

UNLEARNT = 0.05
"""Puzzles that a model of random weights may answer: a solver inside a part answers more."""
WONDER = 0.25
"""A gain in accuracy beyond which the code is read by a person before it counts."""


def fresh(trial: Trial) -> Gate | None:
    """Fails where random weights answer puzzles. None for changes without code."""
    found = trial.place.unlearnt()
    if found is None:
        return None
    record = trial.ledger.append("fresh", {"proposal": trial.proposal.id}, {"exact": found})
    words = f"With random weights {cite(record, 'exact', '.1f', '%')} of the puzzles are answered."
    if found > UNLEARNT:
        return trial.gate("fresh", False, f"{words} That was not learnt.", record.id)
    return trial.gate("fresh", True, words, record.id)


def misled(trial: Trial) -> Gate:
    """Fails where training on the labels of other puzzles does as well: then it was not from labels that it learnt."""
    found = trial.place.misled(trial.steps)
    record = trial.ledger.append("misled", {"proposal": trial.proposal.id, "steps": trial.steps}, {"exact": found})
    words = f"Trained on the labels of other puzzles, {cite(record, 'exact', '.1f', '%')} are answered."
    return trial.gate("misled", found <= UNLEARNT, words, record.id)


def quarantine(trial: Trial) -> Iterator[Gate]:
    """A gate that is left open where the gain is a wonder."""
    runs = [record for record in trial.ledger.records() if record.tool == "train"]
    if runs and runs[-1].values["effect"] > WONDER:
        words = f"A gain of {cite(runs[-1], 'effect', '+.1f', '%')} by code of others: read it before you believe it."
        yield trial.gate("quarantine", None, words, runs[-1].id)
