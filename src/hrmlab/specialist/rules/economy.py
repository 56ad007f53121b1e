"""Memory, operations and time: the same model for less, or a smaller one."""

from hrmlab.specialist.citing import cite
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.rules.base import Draft, rule

LARGE = 16


@rule("memory", "scale")
def recompute(facts: Facts) -> Draft | None:
    """Keep block inputs alone and compute the rest again."""
    if facts.config.training.recompute:
        return None
    return Draft(
        title="compute activations again in the backward pass",
        changes=["training.recompute=true"],
        prediction="less memory in training, and the same answers bit for bit or nearly",
        aim="memory_training",
        better="lower",
        principle="Recurrent weights are small and their activations are not: what is kept can be traded for time.",
        rationale=f"Of {cite(facts.shape, 'memory.training', '.1f', ' MiB')} in training a batch's activations are "
        "the largest part that can be given up.",
        explanation="Blocks of rows with gradient are checkpointed (`torch.utils.checkpoint`).",
        implications="None for the model; a training step takes longer.",
        testing="Memory as counted; paired training runs.",
        weight=0.7,
    )


@rule("memory", "speed", "scale")
def narrower_feed_forward(facts: Facts) -> Draft | None:
    """Half the feed-forward width."""
    expansion = facts.config.model.size.expansion
    if expansion < 2:
        return None
    return Draft(
        title="halve the feed-forward layers",
        changes=[f"model.size.expansion={expansion / 2:g}"],
        prediction="fewer operations a segment, and no fewer puzzles right",
        aim="operations_segment",
        better="lower",
        principle="In a recurrence depth comes from repetition; width is paid at every repetition.",
        rationale=f"`model.size.expansion={expansion:g}`; a segment takes "
        f"{cite(facts.shape, 'flops.segment', '.1f', ' million')} operations.",
        explanation="The gate's and the inner width of every block shrink.",
        implications="Weights of the feed-forward layers do not carry over.",
        testing="Paired training runs at equal steps and at equal operations.",
        weight=0.5,
    )


@rule("memory", "scale")
def shared_networks(facts: Facts) -> Draft | None:
    """One network for both levels (TRM)."""
    if facts.config.model.schedule.kind != "hrm" or facts.config.model.networks:
        return None
    schedule = facts.config.model.schedule
    cycles = (getattr(schedule, "high_cycles", 2), getattr(schedule, "low_cycles", 2))
    wanted = f'{{"kind": "trm", "high_cycles": {cycles[0]}, "low_cycles": {cycles[1]}}}'
    return Draft(
        title="share one network between the levels",
        changes=[f"model.schedule={wanted}"],
        prediction="fewer parameters, and no fewer puzzles right",
        aim="parameters",
        better="lower",
        principle="The levels differ in what they read and how often they are updated; in weights they need not.",
        rationale=f"Two networks hold most of {cite(facts.shape, 'parameters', ',d')} parameters.",
        explanation="Both levels' rows call the same network; gradient goes through the last cycle.",
        implications="The low network's weights are dropped; more updates carry gradient.",
        testing="Paired training runs at equal operations.",
        weight=0.55,
    )


@rule("memory")
def smaller_batch(facts: Facts) -> Draft | None:
    """Fewer slots at a time."""
    size = facts.config.training.batch_size
    if size < LARGE:
        return None
    return Draft(
        title="halve the batch",
        changes=[f"training.batch_size={size // 2}"],
        prediction="less memory in training, and no fewer puzzles right at equal operations",
        aim="memory_training",
        better="lower",
        principle="A slot is a puzzle in thought; how many think at once is no part of the model.",
        rationale=f"`training.batch_size={size}`; memory grows with it.",
        explanation="Half as many slots; puzzles wait longer for theirs.",
        implications="None for the model; gradients are noisier.",
        testing="Memory as counted; paired training runs at equal operations.",
        weight=0.45,
    )
