"""Adaptive computation time: one supervised segment, and who halts after it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from hrmlab.core.carry import Carry
from hrmlab.core.model import Output, detached
from hrmlab.core.recurrence import Observer
from hrmlab.halting.base import HaltingConfig, HaltingView
from hrmlab.losses.base import IGNORE, LossConfig


@dataclass(frozen=True)
class Step:
    """A segment's outcome: the next carry, the model's output and what the halting policy saw."""

    carry: Carry
    output: Output
    view: HaltingView


def segment(
    model: Callable[..., Output],
    carry: Carry,
    halting: HaltingConfig,
    observer: Observer | None = None,
    number: int = 0,
) -> Step:
    """Run one segment on every slot and let the policy say who stops.

    Args:
        model: an `HRM`, or its compiled form.

    The carry must have been refilled: a halted slot would work on. A policy that looks ahead pays a second forward pass
    without gradient (arXiv 2506.21734: the target of Q(continue)), only while gradients are recorded.
    """
    output = model(carry.states, carry.batch, observer, number) if observer else model(carry.states, carry.batch)
    steps = carry.steps + 1
    view = HaltingView(steps, output.values)
    after = detached(carry, output, steps, halting.halted(view, carry.first_allowed))
    if halting.looks_ahead and torch.is_grad_enabled():
        with torch.no_grad():
            view = HaltingView(steps, output.values, model(after.states, carry.batch).values)
    return Step(after, output, view)


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
    terms = {"answer": (loss(step.output.logits, labels) / count[:, None]).sum()}
    terms |= halting.losses(step.view, exact)
    total = torch.stack(list(terms.values())).sum()
    return Objective(total, {name: term.detach() for name, term in terms.items()}, right / count, exact)
