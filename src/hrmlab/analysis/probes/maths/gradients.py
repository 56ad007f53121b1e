"""Gradients of a training step by parts of the model; none is left in the parameters."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from hrmlab.analysis.probes.subject import Subject, parameter_group
from hrmlab.core.act import Objective, Step, objective, segment
from hrmlab.core.carry import Carry
from hrmlab.core.model import HRM

Gradients = dict[str, Tensor]
"""By parameter group (`subject.parameter_group`), flat; the looked-up rows of the puzzle table are group `puzzles`."""
ROWS = "puzzles"


def by_group(
    outputs: Sequence[Tensor],
    model: HRM,
    rows: Tensor | None = None,
    *,
    along: Sequence[Tensor] | None = None,
    keep: bool = False,
) -> Gradients:
    """Gradients of losses, or of tensors along given directions, summed; zeros where none arrives.

    Args:
        rows: looked-up puzzle vectors, leaves of the graph.
        along: one direction for each output.
        keep: the graph, for another call.
    """
    named = [(parameter_group(name), p) for name, p in model.named_parameters() if p.requires_grad]
    named += [] if rows is None else [(ROWS, rows)]  # type: ignore[list-item]
    found = pulled(outputs, [p for _, p in named], along, keep=keep)
    parts: dict[str, list[Tensor]] = {}
    for (group, _), gradient in zip(named, found, strict=True):
        parts.setdefault(group, []).append(gradient.flatten())
    return {group: torch.cat(pieces) for group, pieces in parts.items()}


def pulled(
    outputs: Sequence[Tensor], inputs: Sequence[Tensor], along: Sequence[Tensor] | None = None, *, keep: bool = False
) -> tuple[Tensor, ...]:
    """The sum of the outputs' gradients along their directions; outputs that hang on no graph give none."""
    live = [number for number, output in enumerate(outputs) if output.requires_grad]
    if not live:
        return tuple(torch.zeros_like(x) for x in inputs)
    directions = None if along is None else [along[number] for number in live]
    return torch.autograd.grad(
        [outputs[number] for number in live],
        inputs,
        directions,
        retain_graph=keep,
        allow_unused=True,
        materialize_grads=True,
    )


@torch.enable_grad()
def learn(subject: Subject, model: HRM, carry: Carry) -> tuple[Step, Objective]:
    """A training segment of some slots and its losses, the graph attached. model: the subject's, or a view of it."""
    step = segment(model, carry, subject.halting, check=subject.task.valid)
    return step, objective(step, subject.loss, subject.halting)


def training_gradient(subject: Subject, carry: Carry, model: HRM | None = None) -> Gradients:
    """Of the mean loss of a training segment. model: another view than the subject's own, with other rows."""
    model = model or subject.model
    step, goal = learn(subject, model, carry)
    return by_group([goal.total / len(carry.batch)], model, step.output.puzzle_rows)


@torch.no_grad()
def stepped(model: HRM, gradients: Gradients, length: float) -> HRM | None:
    """A copy of the model, moved against the gradients by a share `length` of all parameters' length; None if zero."""
    moved, gradient = copy.deepcopy(model), float(flat(dense(gradients)).norm())
    if not gradient:
        return None
    size = float(torch.cat([p.flatten() for p in moved.parameters()]).norm())
    done = dict.fromkeys(gradients, 0)
    for name, p in moved.named_parameters():
        if p.requires_grad:
            group = parameter_group(name)
            start = done[group]
            done[group] = start + p.numel()
            p.sub_(gradients[group][start : done[group]].view_as(p), alpha=length * size / gradient)
    return moved


def dense(gradients: Gradients) -> Gradients:
    """Without the puzzle table's rows, which belong to single puzzles."""
    return {group: gradient for group, gradient in gradients.items() if group != ROWS}


def flat(gradients: Mapping[str, Tensor]) -> Tensor:
    """All groups in one vector."""
    return torch.cat(list(gradients.values()))


def cosine(a: Tensor, b: Tensor) -> float | None:
    """Of the angle between two flat vectors; None where one of them is zero."""
    lengths = float(a.norm() * b.norm())
    return float(a @ b) / lengths if lengths > 0 else None


def sign_agreement(a: Tensor, b: Tensor) -> float | None:
    """Share of numbers of equal sign, of those that are not zero in both: what sign-based optimisers see."""
    counted = (a != 0) | (b != 0)
    return float((a.sign() == b.sign())[counted].float().mean()) if counted.any() else None
