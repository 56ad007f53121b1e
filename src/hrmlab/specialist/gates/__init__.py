"""The gates in their order; the first that fails ends it."""

from collections.abc import Iterator

from hrmlab.results.specialist import Decision, Gate
from hrmlab.specialist.gates.base import Trial
from hrmlab.specialist.gates.build import build
from hrmlab.specialist.gates.cost import cost
from hrmlab.specialist.gates.foreign import fresh, misled, quarantine
from hrmlab.specialist.gates.learning import learning
from hrmlab.specialist.gates.numerics import numerics
from hrmlab.specialist.gates.static import static

__all__ = ["Trial", "passages", "verdict"]

FIRST_SEED = 0


def passages(trial: Trial, *, train: bool = True, run: bool = True) -> Iterator[Gate]:
    """Every gate that the proposal comes to.

    Args:
        train: whether it may be trained; without, what can be said without training is said.
        run: whether code that it brings may be run at all; without, it is read.
    """
    for check in (static, build):
        gate = check(trial)
        yield gate
        if gate.passed is False or not run:
            return
    first, second = numerics(trial)
    yield first
    if first.passed is False:
        return
    third = cost(trial)
    yield third
    yield second
    if not train or third.passed is False or second.passed is False:
        return
    before = fresh(trial)
    if before is not None:
        yield before
        if before.passed is False:
            return
    learnt, decision = learning(trial, first_seed=FIRST_SEED, name="training")
    yield learnt
    if decision == "accept":
        if trial.proposal.source:
            control = misled(trial)
            yield control
            if not control.passed:
                return
        confirmed = learning(trial, first_seed=trial.sealed, name="confirmation")[0]
        yield confirmed
        if confirmed.passed and trial.proposal.source:
            yield from quarantine(trial)


def verdict(gates: list[Gate]) -> tuple[Decision | None, str]:
    """Of all gates: accepted is what was confirmed, rejected what failed at one."""
    for gate in gates:
        if gate.passed is False:
            return "reject", f"the gate `{gate.name}` was not passed"
    last = gates[-1] if gates else None
    if last is not None and last.name == "confirmation":
        if last.passed:
            return "accept", "all gates were passed, and the sealed seeds confirm it"
        return "inconclusive", "the sealed seeds do not confirm it"
    if last is not None and last.name == "quarantine":
        return "inconclusive", "so large a gain by code of others is looked at by a person first"
    if last is not None and last.name == "training":
        return "inconclusive", "training does not show it where that decides: at equal operations, if a step costs more"
    return None, "it was not trained"
