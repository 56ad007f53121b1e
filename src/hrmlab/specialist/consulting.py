"""The five steps: analyse, propose, weigh, implement, prove; and the report."""

import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from hrmlab.api.targets import find_config
from hrmlab.api.training import fresh_path
from hrmlab.errors import ConfigError
from hrmlab.reports.files import write_texts
from hrmlab.results.specialist import Consultation, Proposal
from hrmlab.specialist.advising import Advisor, Rules
from hrmlab.specialist.evaluator import fingerprint, sealed_seed, unchanged
from hrmlab.specialist.facts import Facts, examine
from hrmlab.specialist.ledger import NAME, Ledger
from hrmlab.specialist.report import markdown
from hrmlab.specialist.rules import Draft
from hrmlab.specialist.topics import topics_of
from hrmlab.specialist.trying import examined, register, trial_of
from hrmlab.terminal import note

MOST = 3
STEPS = 200
SEEDS = 5
PUZZLES = 32


def consult(
    target: str | Path,
    problem: str,
    *,
    proposals: int = MOST,
    seeds: int = SEEDS,
    steps: int = STEPS,
    train: bool = True,
    n: int = PUZZLES,
    advisor: Callable[[Path], Advisor] | None = None,
    approve: Callable[[Proposal], bool] | None = None,
    unconfined: bool = False,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Consultation:
    """Look at a model, propose changes that answer a problem, and prove or refute them.

    Args:
        target: a run, a shipped model, a preset or a configuration file.
        problem: in plain words ("gradients don't reach the low level").
        proposals: the most to examine, one change each.
        seeds: pairs of training runs at each gate that trains; fewer than 5 can show nothing.
        steps: optimiser steps of each of those runs.
        train: without, proposals are weighed and not tried.
        n: held-out puzzles that probes look at.
        advisor: makes who reads the facts and proposes, for the consultation's folder; None: rules.
        approve: asked before a proposal's runs, and before any code of it is run; one that is not approved is weighed
            only, its code read only. None approves all.
        unconfined: run plug-ins of a language model even where this system cannot confine them.
        out: a folder for the ledger, the runs and the report; None makes one below `runs/`.

    Raises:
        ConfigError, CheckpointError, DataError: what cannot be used, and what to type.
    """
    for name, value in (("proposals", proposals), ("seeds", seeds), ("steps", steps), ("n", n)):
        if value < 1:
            raise ConfigError(f"--{name} {value} came; wanted 1 or more")
    start, config = time.perf_counter(), find_config(target)
    folder = Path(out) if out is not None else fresh_path(f"specialist-{config.name}")
    if (folder / NAME).exists():
        raise ConfigError(f"{folder} holds another consultation; choose another --out")
    ledger, judge, topics = Ledger(folder / NAME), fingerprint(), topics_of(problem)
    ledger.append("judge", {"target": str(target)}, {"sha256": judge})
    note(f"looking at {config.name}: {', '.join(topics)}", quiet)
    facts = examine(target, problem, topics, ledger, n=n, quiet=quiet)
    adviser: Advisor = advisor(folder) if advisor is not None else Rules()
    advice = adviser.advise(facts, ledger, proposals)
    looked_at: list[Proposal] = []
    for number, draft in enumerate(advice.drafts[:proposals], 1):
        proposal = _registered(draft, f"p{number}", facts.target, ledger)
        note(f"{proposal.id}: {proposal.title}", quiet)
        trial = trial_of(
            proposal,
            facts.target,
            ledger,
            folder,
            seeds=seeds,
            steps=steps,
            sealed=sealed_seed(ledger.records()[-1].digest, proposal.id),
            unconfined=unconfined,
            quiet=quiet,
        )
        asked = approve is not None and (train or bool(proposal.source))
        allowed = not asked or approve is None or approve(proposal)
        looked_at.append(examined(proposal, trial, train=train and allowed, run=allowed or not proposal.source))
    unchanged(judge)
    summary = adviser.conclude(looked_at, ledger)
    told = Consultation(
        target=str(target),
        problem=problem,
        topics=topics,
        advisor=adviser.name,
        analysis=advice.analysis,
        proposals=looked_at,
        not_examined=[draft.title for draft in advice.drafts[proposals:]],
        conclusion=summary.analysis,
        evidence=ledger.records(),
        limits=[*_limits(facts, seeds, steps, train), *advice.limits, *summary.limits],
        next=_next(looked_at, str(target), problem),
        folder=str(folder),
        report=str(folder / "report.md"),
        seconds=round(time.perf_counter() - start, 1),
    )
    write_texts(folder, {"report.md": markdown(told)})
    return told


def _registered(draft: Draft, id: str, target: str, ledger: Ledger) -> Proposal:
    """The proposal with its prediction, on disk before anything is run."""
    parts = {name: value for name, value in vars(draft).items() if name != "weight"}
    proposal = Proposal(id=id, **parts)
    register(proposal, target, ledger)
    return proposal


def _limits(facts: Facts, seeds: int, steps: int, train: bool) -> list[str]:
    weights = facts.diagnosis.about["weights"]
    limits = [f"Probes looked at `{len(facts.inspection.schedule)}` updates of `{weights}` weights on a few puzzles."]
    if train:
        limits.append(
            f"Training was `{steps}` steps over `{seeds}` pairs of runs: the beginning of learning. What helps there "
            "need not help at the end, nor in a larger model."
        )
    return limits


def _next(proposals: Sequence[Proposal], target: str, problem: str) -> list[str]:
    accepted = [proposal for proposal in proposals if proposal.verdict == "accept"]
    if accepted:
        return [f"hrm train {target} {' '.join(map(_quoted, proposal.changes))}" for proposal in accepted]
    waiting = [proposal for proposal in proposals if proposal.verdict in (None, "inconclusive")]
    again = f"hrm specialist {shlex.join([target, problem])} --seeds 10 --steps 600"
    return [f"{again}   # {proposal.title}" for proposal in waiting[:1]]


def _quoted(change: str) -> str:
    return shlex.quote(change)
