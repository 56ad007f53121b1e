"""Blocks, attention and what a state stands for."""

import json

from hrmlab.attention import RelationalHeads
from hrmlab.blocks import Relational
from hrmlab.embeddings import Tokens
from hrmlab.spec import by_tie
from hrmlab.specialist.facts import Facts
from hrmlab.specialist.rules.base import Draft, rule

PAIRED = "`hrm check` of the part; paired training runs at equal operations; attention maps before and after."


@rule("attention", "accuracy", "module")
def attend_by_relations(facts: Facts) -> Draft | None:
    """Heads that look along the task's own relations, where attention has to find them out."""
    block, spec = facts.config.model.block, facts.config.task.spec()
    own = getattr(block, "attention", None)
    if own is None or isinstance(own, RelationalHeads) or not spec.relations:
        return None
    ties = list(by_tie(spec.relations).values())[: facts.config.model.size.heads]
    chosen = [relation.name for tied in ties for relation in tied]
    names = ", ".join(chosen)
    return Draft(
        title="tie attention heads to the task's relations",
        changes=[f'model.block.attention={{"kind": "relational", "relations": {json.dumps(chosen)}}}'],
        prediction="more puzzles exactly right at equal operations",
        principle="A low level that refines cells by their constraints needs to see those that bear on them, and not "
        "to learn first which they are.",
        rationale=f"The task knows the relations `{names}`; the heads see all cells alike.",
        explanation="Each head's scores are masked to a relation; heads left over see everything.",
        implications="The same shapes, so that weights carry over; what positions told attention is told by masks.",
        testing=PAIRED,
        weight=0.7,
    )


@rule("attention", "accuracy", "module")
def mix_by_relations(facts: Facts) -> Draft | None:
    """A block without attention, that pools over related cells."""
    block, spec = facts.config.model.block, facts.config.task.spec()
    if isinstance(block, Relational) or not spec.relations or facts.config.model.puzzle is not None:
        return None
    return Draft(
        title="mix cells by relations instead of attention",
        changes=['model.block={"kind": "relational"}', 'model.positions={"kind": "none"}'],
        prediction="more puzzles exactly right at equal operations, and fewer operations a segment",
        principle="A recurrence of simple updates can replace one elaborate one: the hierarchy supplies the depth.",
        rationale=f"The block is `{block.kind}`; the task's relations say who bears on whom.",
        explanation="Cells of a relation are pooled and sent back; the same weights serve boards of any size.",
        implications="Weights do not carry over; attention maps are no longer there to look at.",
        testing=PAIRED,
        weight=0.6,
    )


@rule("accuracy", "embedding", "module")
def symbol_axis(facts: Facts) -> Draft | None:
    """A state for each cell and symbol, so that relabelling symbols changes nothing."""
    model, spec = facts.config.model, facts.config.task.spec()
    if not isinstance(model.embedding, Tokens) or spec.symbols is None or model.puzzle is not None:
        return None
    if not isinstance(model.block, Relational):
        return None
    return Draft(
        title="give each symbol a state of its own",
        changes=['model.embedding={"kind": "symbols"}', f"model.size.width={max(model.size.width // 2, 8)}"],
        prediction="more puzzles exactly right at equal operations",
        principle="What does not matter, the names of digits or colours, should not have to be learned.",
        rationale=f"The task's symbols are interchangeable (`{len(spec.symbols.tokens)}` of them); the embedding is "
        "`tokens`.",
        explanation="States get an axis of symbols with shared weights; the answer is the symbol that scores highest.",
        implications="Weights do not carry over; memory and operations grow with the number of symbols.",
        testing=PAIRED,
        weight=0.5,
    )


@rule("module")
def deeper_high_level(facts: Facts) -> Draft | None:
    """A block more in the slow level's network."""
    networks = list(facts.config.model.schedule.build().networks)
    if "high" not in networks or len(networks) < 2:
        return None
    layers = facts.config.model.stack("high").size.layers
    return Draft(
        title="add a block to the high level",
        changes=[f"high.layers={layers + 1}"],
        prediction="more puzzles exactly right at equal operations",
        principle="The slow level plans: it is called less often, so that depth there costs less than in the fast one.",
        rationale=f"The high level's network has `{layers}` block(s), and is called less often than the low one's.",
        explanation="A stack of its own for `high`; `low` stays as it is. A module of one's own goes there by "
        "`high.blocks[N]=NAME` (`hrm new block NAME`).",
        implications="Weights of the blocks that were there carry over; the new one begins at random.",
        testing=PAIRED,
        weight=0.75,
    )
