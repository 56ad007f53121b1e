"""What a study found: every arm against the reference, and what is missing."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np

from hrmlab.errors import DataError
from hrmlab.studies.plan import OWN, Cell, Plan
from hrmlab.studies.statistics import Interval, hierarchical_interval, holm
from hrmlab.studies.store import Status
from hrmlab.studies.verdict import Question, Verdict, judge


@dataclass(frozen=True)
class Comparison:
    """An arm against the reference, by one measure under one evaluation.

    scores: by seed, of the reference and of the arm, where both are done. verdict: over those; None where there are
    none. adjusted_p: Holm's, over the arms by the first question and own evaluation, or over all other comparisons
    together. over_items: 95% of the mean gain over seeds and test items (for the measure "exact" alone). flops_ratio:
    operations of the arm's training over the reference's, None where the budget is in seconds.
    """

    arm: str
    evaluation: str
    measure: str
    scores: dict[int, tuple[float, float]]
    verdict: Verdict | None
    adjusted_p: float | None
    over_items: Interval | None
    flops_ratio: float | None


@dataclass(frozen=True)
class Outcome:
    """What a study found.

    reference: the arm that all others are compared with. matched: what is alike in all arms (`Plan`).
    missing: by arm and seed, what kept a cell from being done. An arm with missing cells is never accepted.
    """

    reference: str
    comparisons: list[Comparison]
    matched: list[str]
    missing: dict[str, str]


def conclude(plan: Plan, statuses: Mapping[str, Status]) -> Outcome:
    """Compare every arm with the first one.

    Args:
        statuses: by cell.

    Raises:
        DataError: a score that is not finite.
    """
    done = {(cell.arm, cell.seed): statuses[cell.id] for cell in plan.cells if statuses[cell.id].state == "done"}
    _check(plan, statuses)
    missing = {
        f"{cell.arm}, seed {cell.seed}": statuses[cell.id].reason or statuses[cell.id].state
        for cell in plan.cells
        if (cell.arm, cell.seed) not in done
    }
    reference, *others = plan.arms
    compared = [
        _compared(plan, done, (reference, arm), evaluation, question)
        for question in plan.study.questions
        for evaluation in plan.cells[0].evaluations
        for arm in others
    ]
    return Outcome(reference, _as_families(plan, compared), plan.matched, missing)


def _check(plan: Plan, statuses: Mapping[str, Status]) -> None:
    """Raises DataError for a cell whose results are not what it was asked for."""
    lengths: dict[str, int] = {}
    for cell in plan.cells:
        results = statuses[cell.id].results if statuses[cell.id].state == "done" else {}
        for evaluation in cell.evaluations if statuses[cell.id].state == "done" else ():
            found = results.get(evaluation, {})
            for question in plan.study.questions:
                value: Any = found.get(question.measure)
                if type(value) not in (int, float) or not math.isfinite(value):
                    _refuse(cell, f"no finite {question.measure} under '{evaluation}'")
            right = found.get("right", "")
            if not isinstance(right, str) or set(right) - {"0", "1"}:
                _refuse(cell, f"no marks of right and wrong answers under '{evaluation}'")
            if "right" in found and len(right) != lengths.setdefault(evaluation, len(right)):
                _refuse(cell, f"{len(right)} answers under '{evaluation}', another cell {lengths[evaluation]}")


def _refuse(cell: Cell, why: str) -> NoReturn:
    raise DataError(
        f"the results of cell {cell.id} ({cell.arm}, seed {cell.seed}) hold {why}; delete its folder to have it run "
        "again"
    )


def _compared(
    plan: Plan, done: Mapping[tuple[str, int], Status], arms: tuple[str, str], evaluation: str, question: Question
) -> Comparison:
    both = [seed for seed in plan.study.seeds if all((arm, seed) in done for arm in arms)]
    found = {seed: [done[arm, seed].results[evaluation] for arm in arms] for seed in both}
    scores = {seed: (float(a[question.measure]), float(b[question.measure])) for seed, (a, b) in found.items()}
    before, after = [pair[0] for pair in scores.values()], [pair[1] for pair in scores.values()]
    verdict = judge(before, after, question) if scores else None
    if verdict is not None and verdict.decision == "accept" and len(both) < len(plan.study.seeds):
        why = f"{len(plan.study.seeds) - len(both)} of {len(plan.study.seeds)} seeds are missing; {verdict.reason}"
        verdict = replace(verdict, decision="inconclusive", reason=why)
    over_items = None
    if question.measure == "exact" and found and all("right" in side for sides in found.values() for side in sides):
        gains = [_marks(b["right"]) - _marks(a["right"]) for a, b in found.values()]
        over_items = hierarchical_interval(np.stack(gains))
    base_flops, flops = (plan.arms[arm].flops for arm in arms)
    ratio = flops / base_flops if base_flops and flops else None
    return Comparison(arms[1], evaluation, question.measure, scores, verdict, None, over_items, ratio)


def _as_families(plan: Plan, compared: list[Comparison]) -> list[Comparison]:
    """With p-values adjusted for their number; a gain that does not survive that is not accepted.

    What decides, the first question under the runs' own evaluation, is one family; all the rest is another, which may
    be large without taking from the first.
    """
    first = plan.study.questions[0].measure

    def decides(one: Comparison) -> bool:
        return (one.measure, one.evaluation) == (first, OWN)

    adjusted: dict[int, tuple[float, int]] = {}
    for family in ([one for one in compared if decides(one)], [one for one in compared if not decides(one)]):
        judged = [one for one in family if one.verdict is not None]
        values = holm([one.verdict.p for one in judged if one.verdict]) if judged else []
        adjusted |= {id(one): (p, len(judged)) for one, p in zip(judged, values, strict=True)}
    alphas = {question.measure: question.alpha for question in plan.study.questions}
    return [
        _corrected(one, *adjusted[id(one)], alphas[one.measure]) if id(one) in adjusted else one for one in compared
    ]


def _corrected(one: Comparison, p: float, comparisons: int, alpha: float) -> Comparison:
    verdict = one.verdict
    if verdict is not None and verdict.decision == "accept" and p > alpha:
        why = f"not after Holm's correction for {comparisons} comparisons (p {p:.2g}); alone {verdict.reason}"
        verdict = replace(verdict, decision="inconclusive", reason=why)
    return replace(one, verdict=verdict, adjusted_p=p)


def _marks(right: str) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.array([float(mark) for mark in right])
