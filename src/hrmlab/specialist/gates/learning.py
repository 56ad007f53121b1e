"""G5 and G6: paired training runs, at equal steps and at equal operations, and again on seeds that nobody chose."""

from collections.abc import Sequence
from math import sqrt
from typing import Literal

import numpy as np

from hrmlab import api
from hrmlab.api.targets import find_config
from hrmlab.results.specialist import Decision, Evidence, Gate
from hrmlab.results.study import Study
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import ALPHA, MARGIN, Trial
from hrmlab.studies import plan as plans
from hrmlab.studies.plan import Allowance
from hrmlab.studies.statistics import sign_flip, smallest_p
from hrmlab.studies.verdict import Question, judge
from hrmlab.studies.work import work_of

PUZZLES = 300
DEPTH = 4
"""Evaluations may take so many times the segments of training: a model trained for seconds uses up what it gets."""
ALIKE = 0.01
Aim = Literal["exact", "mean_segments"]


def learning(trial: Trial, *, first_seed: int, name: str) -> tuple[Gate, Decision]:
    """Train base and change on the same seeds and compare them.

    Where a step's operations differ, both are compared at equal operations too, and that decides.
    """
    before, after = work_of(trial.base).step_flops, work_of(trial.changed).step_flops
    studies = [("equal steps", Allowance(steps=trial.steps))]
    if abs(after / before - 1) > ALIKE:
        studies.append(("equal operations", Allowance(flops=float(before) * trial.steps)))
    told: list[str] = []
    evidence: list[str] = []
    decision: Decision = "inconclusive"
    for words, budget in studies:
        study = _run(trial, budget, first_seed)
        record, decision, sentence = judged(trial, study, words)
        told.append(sentence)
        evidence.append(record.id)
    passed = {"accept": True, "reject": False, "inconclusive": None}[decision]
    return trial.gate(name, passed, " ".join(told), *evidence), decision


def _run(trial: Trial, budget: Allowance, first_seed: int) -> Study:
    """All of a consultation's runs lie in one folder, so that the base is trained once for each seed."""
    base = find_config(trial.target)
    most = min(DEPTH * base.halting.max_segments, base.evaluation.max_segments)
    shared = [f"evaluation.max_segments={most}"]
    if base.data.path is None:
        shared.append(f"data.test={min(base.data.test, PUZZLES)}")
    study = plans.Study(
        name="runs",
        base=trial.target,
        overrides=tuple(shared),
        factors={"change": {trial.proposal.id: tuple(_within(trial, most))}},
        budget=budget,
        seeds=tuple(range(first_seed, first_seed + trial.seeds)),
        questions=(Question(predicted="gain"), Question(measure="mean_segments", better="lower")),
    )
    return api.ablate(study, out=trial.folder / "runs", quiet=trial.quiet)


def _within(trial: Trial, most: int) -> list[str]:
    """The change, its evaluation as deep as the base's."""
    changes = list(trial.proposal.changes)
    if any(change.startswith("evaluation=") for change in changes):
        changes.append(f"evaluation.max_segments={most}")
    return changes


def judged(trial: Trial, study: Study, words: str) -> tuple[Evidence, Decision, str]:
    """What a study says about the change, written down and in words."""
    arm = study.arms[1].name
    scores = {measure: _paired(study, arm, measure) for measure in ("exact", "mean_segments")}
    noise = noise_of(scores["exact"][0])
    decision, values = decide(trial.proposal.aim, trial.proposal.better, scores, noise)
    values |= {"base": scores["exact"][0], "changed": scores["exact"][1], "missing": len(study.missing)}
    values |= {"segments": {"base": scores["mean_segments"][0], "changed": scores["mean_segments"][1]}}
    if study.missing and decision == "accept":
        decision = "inconclusive"
    about = {
        "proposal": trial.proposal.id,
        "budget": words,
        "seeds": study.seeds,
        "command": study.command,
    }
    record = trial.ledger.append("train", about, values)
    sentence = (
        f"At {words}, {cite(record, 'pairs', 'd')} pairs: exact {cite(record, 'mean_base', '.1f', '%')} before and "
        f"{cite(record, 'mean_changed', '.1f', '%')} after, a gain of {cite(record, 'effect', '+.1f', '%')}, "
        f"p {cite(record, 'p', '.2g')}; noise of equal runs {cite(record, 'noise', '.1f', '%')}; segments "
        f"{cite(record, 'segments_base', '.1f')} before, {cite(record, 'segments_changed', '.1f')} after: `{decision}`."
    )
    return record, decision, sentence


def _paired(study: Study, arm: str, measure: str) -> tuple[list[float], list[float]]:
    own = {(cell.arm, cell.seed): cell.results["own"][measure] for cell in study.cells if cell.state == "done"}
    both = [seed for seed in study.seeds if (study.reference, seed) in own and (arm, seed) in own]
    return [float(own[study.reference, seed]) for seed in both], [float(own[arm, seed]) for seed in both]


def noise_of(base: Sequence[float]) -> float:
    """Deviation of the difference of two runs of one configuration: from the base's own runs over seeds, which are its
    A/A runs. 0 for fewer than two."""
    return sqrt(2) * float(np.std(base, ddof=1)) if len(base) > 1 else 0.0


def decide(
    aim: str, better: str, scores: dict[str, tuple[list[float], list[float]]], noise: float
) -> tuple[Decision, dict[str, object]]:
    """The decision on a change, and the numbers that it rests on.

    A change for accuracy must be shown to gain (exact sign-flip test), by twice the noise of a mean over these pairs.
    One for anything else must be shown to lose less than the margin, and, if it is for segments, to save some.
    """
    before, after = scores["exact"]
    values: dict[str, object] = {
        "pairs": len(before),
        "mean_base": float(np.mean(before)) if before else None,
        "mean_changed": float(np.mean(after)) if after else None,
        "segments_base": float(np.mean(scores["mean_segments"][0])) if before else None,
        "segments_changed": float(np.mean(scores["mean_segments"][1])) if before else None,
        "noise": noise,
    }
    if not before:
        return "inconclusive", values | {"effect": 0.0, "p": 1.0, "reason": "no pair of runs came to an end"}
    if aim == "exact":
        verdict = judge(before, after, Question(predicted="gain", noise=noise, alpha=ALPHA))
        return verdict.decision, values | {"effect": verdict.effect, "p": verdict.p, "reason": verdict.reason}
    gains = np.subtract(after, before)
    p_kept, p_lost = sign_flip(gains + MARGIN, "greater"), sign_flip(gains, "less")
    saved = np.subtract(scores["mean_segments"][0], scores["mean_segments"][1])
    values |= {"effect": float(gains.mean()), "p": p_kept, "margin": MARGIN}
    if smallest_p(len(gains), "greater") > ALPHA:
        return "inconclusive", values | {"reason": "too few pairs to show anything"}
    if p_lost <= ALPHA and -float(gains.mean()) > MARGIN:
        return "reject", values | {"reason": "accuracy is lost"}
    if aim == "mean_segments":
        p_saved = sign_flip(saved, "greater")
        values["p_saved"] = p_saved
        if sign_flip(saved, "less") <= ALPHA:
            return "reject", values | {"reason": "more segments are taken"}
        if p_saved > ALPHA:
            return "inconclusive", values | {"reason": "no saving is shown"}
    if p_kept > ALPHA:
        return "inconclusive", values | {"reason": "a loss of more than the margin is not excluded"}
    return "accept", values | {"reason": "accuracy is kept within the margin"}
