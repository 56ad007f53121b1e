"""Gradient through the hierarchy and through its recurrence."""

from hrmlab.specialist.citing import cite
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.rules.base import Draft, rule

LOW_COSINE = 0.8
STEPS = "Train base and change on the same seeds, at equal steps and at equal operations; confirm on seeds never used."


@rule("gradient", "accuracy", "module")
def gradient_window(facts: Facts) -> Draft | None:
    """Let gradient reach further back, where most updates carry none."""
    rows = facts.inspection.schedule
    taught = sum(row["grad"] for row in rows)
    if taught == len(rows) or facts.config.model.schedule.neumann:
        return None
    cosine = facts.number("gradient_bias", "cosine")
    wider = min(2 * taught, len(rows))
    measured = ""
    if cosine is not None:
        measured = (
            f" Its direction has a cosine of {facts.measured('gradient_bias', 'cosine')} with the gradient of all "
            f"updates, and {facts.measured('gradient_bias', 'ratio')} of its length."
        )
    return Draft(
        title="let gradient flow through more of the last updates",
        changes=[f"model.schedule.grad_window={wider}"],
        prediction="more puzzles exactly right at equal operations, above all early in training",
        principle="HRM's one-step gradient holds where states have arrived at a fixed point; until then the updates "
        "before the last ones bear on the answer and are not told.",
        rationale=f"Of {cite(facts.shape, 'updates', 'd')} updates {cite(facts.shape, 'with_gradient', 'd')} carry "
        f"gradient.{measured}",
        explanation="The schedule's table marks which rows record a graph; the window moves its beginning. Nothing in "
        "any network changes.",
        implications="Activations of more updates are kept for the backward pass; inference is untouched.",
        testing=STEPS,
        weight=0.9 if cosine is not None and cosine < LOW_COSINE else 0.5,
    )


@rule("gradient", "module")
def deep_supervision(facts: Facts) -> Draft | None:
    """Give a level that is taught only through another a loss of its own."""
    model = facts.config.model
    table = model.schedule.build()
    others = [level for level in table.levels if level != table.answer and level not in model.answers]
    if not others:
        return None
    fastest = others[-1]
    return Draft(
        title=f"teach the level `{fastest}` directly",
        changes=[f"model.answers.{fastest}=0.5"],
        prediction="more puzzles exactly right: the level's gradient no longer passes through the level above alone",
        principle="The levels stay coherent if both know the question; a loss on the fast level shortens the way of "
        "its gradient without tying the slow one.",
        rationale=f"`{fastest}` is read by other levels alone; the answer's loss reaches it through them.",
        explanation="A linear map, the identity at first, stands before the answer's own head; the level's loss is "
        "added with half the weight.",
        implications="A head more to train; none of it is computed in inference. The fast level is drawn towards the "
        "answer, which leaves it less freedom to hold something else.",
        testing=STEPS,
        weight=0.45,
    )


@rule("gradient")
def fixed_point_gradient(facts: Facts) -> Draft | None:
    """One more term of the Neumann series, where the one-step gradient is short and memory is dear."""
    schedule = facts.config.model.schedule
    if schedule.neumann or all(row["grad"] for row in facts.inspection.schedule):
        return None
    ratio = facts.number("gradient_bias", "ratio")
    if ratio is None or ratio > 0.9:
        return None
    return Draft(
        title="add a term of the fixed point's gradient",
        changes=["model.schedule.neumann=1"],
        prediction="more puzzles exactly right at equal operations, for no memory",
        principle="At a fixed point the whole gradient is a series of which the one-step gradient is the first term.",
        rationale=f"The gradient that is used has {facts.measured('gradient_bias', 'ratio')} of the length of the "
        "whole one.",
        explanation="The backward pass goes through the last updates once more by the states alone (`core.implicit`).",
        implications="Eager engines only. Where states do not settle the series does not converge, and the gradient "
        "grows without a direction.",
        testing=STEPS,
        weight=0.4,
    )


@rule("gradient", "accuracy")
def clip(facts: Facts) -> Draft | None:
    """A gradient without a limit."""
    if facts.config.training.clip is not None:
        return None
    return Draft(
        title="limit the length of the gradient",
        changes=["training.clip=1.0"],
        prediction="no run diverges, and as many puzzles or more are right",
        principle="Recurrence multiplies: one bad segment must not move the weights that all segments share.",
        rationale="`training.clip` is none.",
        explanation="The whole gradient is scaled to that norm before the optimisers step.",
        implications="None for the model.",
        testing=STEPS,
        weight=0.5,
    )
