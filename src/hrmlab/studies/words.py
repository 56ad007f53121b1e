"""What a study found, as a paragraph that claims no more than its statistics do."""

from collections.abc import Iterator, Mapping

from hrmlab.studies.outcome import Comparison, Outcome
from hrmlab.studies.plan import OWN, Plan
from hrmlab.studies.work import Work

PLAIN = {
    "parameters": "parameters",
    "segment_flops": "operations of a segment",
    "step_flops": "operations of a step",
    "steps": "optimiser steps",
    "seconds": "seconds of training",
    "flops": "operations of training",
}


def paragraph(plan: Plan, outcome: Outcome) -> str:
    """The answer to the study's first question, by each arm; what was matched; and what is missing."""
    return " ".join(_sentences(plan, outcome))


def _sentences(plan: Plan, outcome: Outcome) -> Iterator[str]:
    question, others = plan.study.questions[0], len(plan.arms) - 1
    asked = [one for one in outcome.comparisons if one.measure == question.measure and one.evaluation == OWN]
    arms, seeds = f"{others} arm{'s' * (others != 1)}", len(plan.study.seeds)
    yield (
        f"{arms} compared with '{outcome.reference}' by {question.measure}, {question.better} being better, over "
        f"{seeds} seed{'s' * (seeds != 1)}."
    )
    for decision, said in (("accept", "Better: "), ("reject", "Worse, or not better by enough: ")):
        if named := [_named(one) for one in asked if one.verdict and one.verdict.decision == decision]:
            yield said + "; ".join(named) + "."
    open_ = [one for one in asked if one.verdict and one.verdict.decision == "inconclusive"]
    if open_ and all(one.verdict.descriptive for one in open_ if one.verdict):
        yield f"So few seeds can show nothing at the level {question.alpha:g}: the numbers describe these runs alone."
    if open_:
        yield "Nothing shown, which is no proof that nothing is there: " + "; ".join(map(_named, open_)) + "."
    alike = [PLAIN[name] for name in outcome.matched]
    yield f"Alike in all arms: {', '.join(alike) or 'none of the quantities counted'}."
    if unlike := [f"{said} ({_spread(plan.arms, name)})" for name, said in PLAIN.items() if _differs(plan, name)]:
        yield f"Not alike, so that a difference may come from it: {', '.join(unlike)}."
    if outcome.missing:
        yield f"Missing, {len(outcome.missing)} of {len(plan.cells)} runs: {_reasons(outcome.missing)}."


def _named(one: Comparison) -> str:
    assert one.verdict is not None
    effect, ends = one.verdict.effect, one.verdict.interval
    within = f", 95% {ends[0]:+.3g} to {ends[1]:+.3g}" if ends else ""
    p = "" if one.adjusted_p is None or one.verdict.descriptive else f", adjusted p {one.adjusted_p:.2g}"
    return f"{one.arm} ({effect:+.3g}{within}{p})"


def _differs(plan: Plan, name: str) -> bool:
    values = [getattr(work, name) for work in plan.arms.values()]
    return None not in values and name not in plan.matched


def _spread(arms: Mapping[str, Work], name: str) -> str:
    values = [getattr(work, name) for work in arms.values()]
    return f"up to {max(values) / min(values):.2f} times"


def _reasons(missing: Mapping[str, str], most: int = 5) -> str:
    named = [f"{cell} ({reason})" for cell, reason in missing.items()]
    return "; ".join(named[:most]) + (f"; and {len(named) - most} more" if len(named) > most else "")
