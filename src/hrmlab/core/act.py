"""Adaptive computation time: one supervised segment, and who halts after it."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

from hrmlab.core.carry import Batch, Carry
from hrmlab.core.model import Output, following
from hrmlab.core.recurrence import Observer, States
from hrmlab.halting.base import Check, Glimpse, HaltingConfig, HaltingView, Outcome
from hrmlab.losses.base import IGNORE, LossConfig


class Thinker(Protocol):
    """What computes segments: a model, or an engine around one."""

    @property
    def halting_head(self) -> Any: ...

    def __call__(self, *arguments: Any) -> Output: ...

    def look_ahead(self, states: States, batch: Batch) -> Tensor: ...


@dataclass(frozen=True)
class Step:
    """A segment's outcome: the next carry, the model's output and what the halting policy saw."""

    carry: Carry
    output: Output
    view: HaltingView


def segment(
    model: Thinker,
    carry: Carry,
    halting: HaltingConfig,
    observer: Observer | None = None,
    number: int = 0,
    *,
    check: Check | None = None,
    attached: bool = False,
) -> Step:
    """Run one segment on every slot and let the policy say who stops.

    Args:
        model: an engine (`core.engines`), or a plain `HRM`.
        number: of this segment: for the observer, and for policies that look ahead only now and then.
        check: the task's rules, for policies that ask for them.
        attached: leave the carried states in the graph, so that a later segment's loss teaches this one too.

    The carry must have been refilled: a halted slot would work on. A policy that looks ahead pays a second forward pass
    without gradient (arXiv 2506.21734: the target of Q(continue)), only while gradients are recorded.
    """
    output = model(carry.states, carry.batch, observer, number) if observer else model(carry.states, carry.batch)
    learning = torch.is_grad_enabled()
    view = HaltingView(
        steps=carry.steps + 1,
        values=output.values,
        logits=output.logits,
        state=output.states[output.answer],
        before=carry.states[output.answer],
        inputs=carry.batch.inputs,
        memory=carry.memory,
        check=check,
    )
    halted = halting.halted(view, carry.first_allowed)
    after = following(carry, output, view.steps, halted, attached=attached)
    after = replace(after, memory=halting.remember(view))
    if (share := halting.damping(view)) is not None:
        before = carry.states if attached else {level: state.detach() for level, state in carry.states.items()}
        after = replace(after, states=_damped(before, after.states, share))
    if learning and halting.looks_ahead(number):
        view = replace(view, ahead=Glimpse(model.look_ahead(after.states, carry.batch)))
    if learning and halting.looks_back:
        view = replace(view, earlier=model.halting_head(view.before))
    return Step(after, output, view)


def _damped(before: States, after: States, share: Tensor) -> States:
    """The states moved by `share`, (B,), of the way from before to after."""
    return {
        level: torch.lerp(before[level].float(), new.float(), share.view(-1, *(1,) * (new.ndim - 1))).to(new.dtype)
        for level, new in after.items()
    }


@dataclass(frozen=True)
class Objective:
    """What a segment is trained on, and its measures; every tensor is a sum over the batch.

    total: the loss, to be divided by the number of slots.
    terms: its parts by name, the token loss as "answer".
    cells: (B,) share of scored cells that are right.
    exact: (B,) booleans, every scored cell right.
    """

    total: Tensor
    terms: dict[str, Tensor]
    cells: Tensor
    exact: Tensor


def objective(step: Step, loss: LossConfig, halting: HaltingConfig) -> Objective:
    """Mean token loss of each puzzle plus the policy's own losses, summed over the slots."""
    labels = step.carry.batch.labels
    scored = labels != IGNORE
    count = scored.sum(-1).clamp_min(1)
    with torch.no_grad():
        right = ((step.output.logits.argmax(-1) == labels) & scored).sum(-1)
        exact = (right == scored.sum(-1)) & scored.any(-1)
    answer = loss(step.output.logits, labels) / count[:, None]
    terms = {"answer": answer.sum()}
    for level, (weight, logits) in step.output.others.items():
        terms[f"answer_{level}"] = weight * (loss(logits, labels) / count[:, None]).sum()
    terms |= halting.losses(step.view, Outcome(exact, answer.detach().sum(-1)))
    total = torch.stack(list(terms.values())).sum()
    return Objective(total, {name: term.detach() for name, term in terms.items()}, right / count, exact)
