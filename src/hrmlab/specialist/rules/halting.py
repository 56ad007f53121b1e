"""When to stop thinking, and how that is learned."""

from dataclasses import replace

from hrmlab.halting import AnswerStability, Correctness, Fixed, QLearning
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.rules.base import Draft, rule

DEEP = "Computation is spent where the puzzle is hard; a halt that errs early costs answers, one that errs late time."


@rule("halting", "accuracy")
def explore(facts: Facts) -> Draft | None:
    """Q-learning that never tries what its untrained head advises against."""
    halting = facts.config.halting
    if not isinstance(halting, QLearning) or halting.exploration > 0:
        return None
    return Draft(
        title="let Q-learning explore",
        changes=["halting.exploration=0.1"],
        prediction="more puzzles exactly right: sequences are no longer cut as soon as the head says so",
        principle="A Q-learned halt must see segments that it would not have chosen, or it learns only from itself.",
        rationale="`halting.exploration=0`: training halts as soon as the head, which begins untrained, says so.",
        explanation="For a share of sequences the first segment at which they may halt is drawn at random.",
        implications="Longer sequences in training; none in evaluation.",
        testing="Paired training runs; segments in training beside accuracy.",
        weight=0.95,
    )


@rule("halting", "accuracy")
def learn_correctness(facts: Facts) -> Draft | None:
    """A halting head taught by whether the answer is right, without a bootstrapped value to go on."""
    halting = facts.config.halting
    if not isinstance(halting, QLearning):
        return None
    wanted = f"correctness,max_segments={halting.max_segments}"
    kind = Correctness(max_segments=halting.max_segments)
    return Draft(
        title="teach the halting head correctness alone",
        changes=[f"halting={_json(kind)}", *_evaluation(facts, kind)],
        prediction=f"as many puzzles right or more with `{wanted}`, for fewer operations of training",
        principle="Q(halt) is the probability of a right answer; Q(continue) only repeats it a segment later, and "
        "costs a second forward pass (TRM drops it).",
        rationale="The policy in training is `q_learning`, which looks a segment ahead.",
        explanation="The second logit is no longer trained, and nothing is looked ahead for.",
        implications="The head keeps its shape, so that weights carry over.",
        testing="Paired training runs at equal operations; accuracy against segments with `hrm halting`.",
        weight=0.55,
    )


@rule("halting", "speed")
def halt_in_evaluation(facts: Facts) -> Draft | None:
    """Stop when the head is sure, where evaluation gives every puzzle all its segments."""
    evaluation = facts.config.evaluation
    if not isinstance(evaluation, Fixed) or isinstance(facts.config.halting, Fixed):
        return None
    policy = Correctness(max_segments=evaluation.max_segments, threshold=0.9)
    return Draft(
        title="halt in evaluation when the head is sure",
        changes=[f"evaluation={_json(policy)}"],
        prediction="fewer segments a puzzle, and no fewer puzzles right",
        aim="mean_segments",
        better="lower",
        principle=DEEP,
        rationale="`evaluation` is `fixed`: an easy puzzle takes as long as the hardest.",
        explanation="A puzzle leaves its slot when the probability of a right answer passes the threshold, and the "
        "next one takes it.",
        implications="Weights stay as they are; the answer to a puzzle may come from an earlier segment.",
        testing="The same weights under both policies; puzzles lost are counted against segments saved.",
        weight=0.8,
    )


@rule("halting")
def stable_answers(facts: Facts) -> Draft | None:
    """Stop when the answer no longer changes: no head is asked."""
    evaluation = facts.config.evaluation
    if isinstance(evaluation, AnswerStability):
        return None
    policy = AnswerStability(max_segments=evaluation.max_segments, patience=3)
    return Draft(
        title="halt when the answer has stopped changing",
        changes=[f"evaluation={_json(policy)}"],
        prediction="fewer segments a puzzle, and no fewer puzzles right, whatever the head has learned",
        aim="mean_segments",
        better="lower",
        principle=DEEP,
        rationale=f"`evaluation` is `{evaluation.kind}`, which trusts the head or nothing.",
        explanation="A puzzle stops after three segments with the same answer.",
        implications="Weights stay as they are; three segments are the least.",
        testing="The same weights under both policies.",
        weight=0.4,
    )


@rule("halting", "speed")
def look_less_often(facts: Facts) -> Draft | None:
    """The second forward pass of Q-learning, at every fourth step only."""
    halting = facts.config.halting
    if not isinstance(halting, QLearning) or halting.target_every > 1 or halting.bellman != "next":
        return None
    return Draft(
        title="look ahead at every fourth step",
        changes=["halting.target_every=4"],
        prediction="fewer operations a training step, and no fewer puzzles right",
        aim="operations_training_step",
        better="lower",
        principle="The target of Q(continue) is a regression target; it need not be fresh for every batch.",
        rationale="Every training step pays a second forward pass for the target of Q(continue).",
        explanation="In the other steps the loss of Q(continue) is left out.",
        implications="None for the model.",
        testing="Paired training runs at equal steps.",
        weight=0.5,
    )


def _evaluation(facts: Facts, kind: Correctness) -> list[str]:
    if isinstance(facts.config.evaluation, QLearning):
        return [f"evaluation={_json(replace(kind, max_segments=facts.config.evaluation.max_segments))}"]
    return []


def _json(policy: object) -> str:
    import json

    from hrmlab.config import encode

    return json.dumps(encode(policy))
