"""G5 and G6: paired training runs, at equal steps and at equal operations, and again on seeds that nobody chose."""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, Literal

import numpy as np

from hrmlab.results.specialist import Decision, Evidence, Gate
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import ALPHA, MARGIN, Scores, Trial
from hrmlab.studies.plan import Allowance
from hrmlab.studies.statistics import sign_flip, smallest_p
from hrmlab.studies.verdict import Question, judge

ALIKE = 0.01
LEARNT = 0.05
"""Accuracy of the base below which keeping it says nothing."""
STEPS, OPERATIONS = "equal steps", "equal operations"
Aim = Literal["exact", "mean_segments"]


def learning(trial: Trial, *, first_seed: int, name: str) -> tuple[Gate, Decision]:
    """Train base and change on the same seeds and compare them.

    Where a step's operations differ, both are compared at equal operations too, and that decides.
    """
    place = trial.place
    record, decision, told = judged(trial, place.compare(Allowance(steps=trial.steps), first_seed, trial.seeds), STEPS)
    evidence = [record.id]
    if abs(place.ratio() - 1) > ALIKE:
        operations = float(place.measure("cost")["base"]["operations_training_step"]) * trial.steps
        runs = place.compare(Allowance(flops=operations), first_seed, trial.seeds)
        record, decision, more = judged(trial, runs, OPERATIONS)
        told, evidence = f"{told} {more}", [*evidence, record.id]
    passed = {"accept": True, "reject": False, "inconclusive": None}[decision]
    return trial.gate(name, passed, told, *evidence), decision


def judged(trial: Trial, runs: Scores, words: str) -> tuple[Evidence, Decision, str]:
    """What paired runs say about the change, written down and in words."""
    noise = noise_of(runs.exact[0])
    decision, values = decide(trial.proposal.aim, trial.proposal.better, vars(runs), noise)
    values |= {"base": runs.exact[0], "changed": runs.exact[1], "missing": runs.missing}
    values |= {"segments": {"base": runs.mean_segments[0], "changed": runs.mean_segments[1]}}
    if runs.missing and decision == "accept":
        decision = "inconclusive"
    record = trial.ledger.append("train", {"proposal": trial.proposal.id, "budget": words, **runs.about}, values)
    sentence = (
        f"At {words}, {cite(record, 'pairs', 'd')} pairs: exact {cite(record, 'mean_base', '.1f', '%')} before and "
        f"{cite(record, 'mean_changed', '.1f', '%')} after, a gain of {cite(record, 'effect', '+.1f', '%')}, "
        f"p {cite(record, 'p', '.2g')}; noise of equal runs {cite(record, 'noise', '.1f', '%')}; segments "
        f"{cite(record, 'segments_base', '.1f')} before, {cite(record, 'segments_changed', '.1f')} after: `{decision}`."
    )
    return record, decision, sentence


def noise_of(base: Sequence[float]) -> float:
    """Deviation of the difference of two runs of one configuration: from the base's own runs over seeds, which are its
    A/A runs. 0 for fewer than two."""
    return sqrt(2) * float(np.std(base, ddof=1)) if len(base) > 1 else 0.0


def decide(aim: str, better: str, scores: Mapping[str, Any], noise: float) -> tuple[Decision, dict[str, object]]:
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
    if float(np.mean(before)) < LEARNT:
        return "inconclusive", values | {"effect": 0.0, "p": 1.0, "reason": "the base had learnt nothing to be lost"}
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
