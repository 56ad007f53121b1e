"""A proposal through the gates, and what is then said of it."""

from dataclasses import replace

from hrmlab.errors import HrmLabError
from hrmlab.results.specialist import Gate, Proposal
from hrmlab.specialist.gates import Trial, passages, verdict
from hrmlab.terminal import note

STATES = {True: "passed", False: "failed", None: "open"}


def examined(proposal: Proposal, trial: Trial, *, train: bool) -> Proposal:
    """The proposal with its gates; one that fails in a way that nobody foresaw is rejected with that reason."""
    gates: list[Gate] = []
    try:
        for gate in passages(trial, train=train):
            gates.append(gate)
            note(
                f"  {gate.name}: {'passed' if gate.passed else 'failed' if gate.passed is False else 'open'}",
                trial.quiet,
            )
    except HrmLabError as error:
        gates.append(Gate("run", False, f"It could not be run: `{str(error).replace('`', '')}`"))
    decision, reason = verdict(gates)
    said = {gate.name: gate.summary for gate in gates}
    return replace(
        proposal,
        gates=gates,
        verdict=decision,
        reason=reason,
        compatibility=said.get("build", ""),
        cost=said.get("cost", ""),
        gradient_flow=said.get("gradient flow", ""),
    )
