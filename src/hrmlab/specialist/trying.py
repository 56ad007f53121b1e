"""A proposal through the gates, and what is then said of it."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

from hrmlab.api.differences import settings
from hrmlab.api.targets import find_config
from hrmlab.config import encode
from hrmlab.errors import HrmLabError
from hrmlab.results.specialist import Gate, Proposal
from hrmlab.specialist.gates import Trial, passages, verdict
from hrmlab.specialist.gates.base import Place
from hrmlab.specialist.gates.here import Here
from hrmlab.specialist.ledger import Ledger
from hrmlab.specialist.plugins.confined import Confined
from hrmlab.specialist.sandbox import Limits
from hrmlab.terminal import note
from hrmlab.training.overrides import override_run

TRIAL_SECONDS = 3600.0
"""Of one confined run."""
STATES = {True: "passed", False: "failed", None: "open"}


def trial_of(
    proposal: Proposal,
    target: str,
    ledger: Ledger,
    folder: Path,
    *,
    seeds: int,
    steps: int,
    sealed: int,
    unconfined: bool = False,
    quiet: bool = False,
) -> Trial:
    """The proposal before the gates; one that brings code is run in the sandbox.

    Args:
        sealed: the first of seeds that nobody chose.
        unconfined: run code of others even where this system cannot confine it.

    Raises:
        ConfigError: settings that do not exist.
    """
    base = find_config(target)
    if proposal.source:
        touched = [change.partition("=")[0].strip() for change in proposal.changes]
        limits = Limits(seconds=TRIAL_SECONDS, unconfined=unconfined)
        place: Place = Confined(base, proposal.changes, proposal.source, limits, quiet)
    else:
        changed = override_run(base, proposal.changes)
        touched = [row["key"] for row in settings(encode(base), encode(changed))]
        place = Here(target, proposal.id, proposal.changes, base, changed, folder, quiet)
    return Trial(proposal, base, touched, place, ledger, seeds, steps, sealed, quiet)


def register(proposal: Proposal, target: str, ledger: Ledger) -> None:
    """Write a proposal down before anything of it is run."""
    ledger.append("predict", {"proposal": proposal.id}, registration(proposal, target))


def registration(proposal: Proposal, target: str) -> dict[str, Any]:
    """What a proposal is held to: what it changes of what, its code's hash, what it predicts and for what."""
    values: dict[str, Any] = {"changes": proposal.changes, "prediction": proposal.prediction, "aim": proposal.aim}
    values |= {"id": proposal.id, "better": proposal.better, "target": target}
    return values | ({"source": hashlib.sha256(proposal.source.encode()).hexdigest()} if proposal.source else {})


def examined(proposal: Proposal, trial: Trial, *, train: bool, run: bool = True) -> Proposal:
    """The proposal with its gates; one that fails in a way that nobody foresaw is rejected with that reason."""
    gates: list[Gate] = []
    try:
        for gate in passages(trial, train=train, run=run):
            gates.append(gate)
            note(f"  {gate.name}: {STATES[gate.passed]}", trial.quiet)
    except Exception as error:  # a change that breaks something of ours is refused, and the others are still looked at
        name = "" if isinstance(error, HrmLabError) else f"{type(error).__name__}: "
        gates.append(Gate("run", False, f"It could not be run: `{name}{str(error).replace('`', '')}`"))
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
