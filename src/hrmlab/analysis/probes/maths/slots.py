"""A batch as training sees it: every puzzle at one of the segments that it passes before it is halted."""

from dataclasses import replace

import torch
from torch import Tensor

from hrmlab.analysis.probes.subject import Subject
from hrmlab.analysis.tracing.unroll import batch_of, some
from hrmlab.core.act import segment
from hrmlab.core.carry import Batch, Carry


def training_batch(subject: Subject, count: int) -> Batch:
    """The first training puzzles, or held-out ones where those are gone."""
    examples = subject.examples if subject.train is None else subject.train
    return batch_of(subject.model, examples.part(slice(min(count, len(examples)))))


def fresh_slots(subject: Subject, batch: Batch) -> Carry:
    """All puzzles of a batch before their first segment."""
    carry = subject.model.empty_carry(batch)
    return carry.refill(subject.model.initial_states(), batch, torch.ones_like(carry.steps))


@torch.no_grad()
def training_slots(subject: Subject, batch: Batch) -> Carry:
    """Every puzzle before a segment drawn evenly from those that it has under the training policy.

    Drawn as the segments stream by: the t-th takes the place of what was drawn before with probability 1 / t.
    """
    generator = subject.generator(len(batch))
    carry = drawn = fresh_slots(subject, batch)
    going = torch.ones_like(carry.halted)
    for number in range(1, min(subject.halting.max_segments, subject.segments)):
        carry = segment(subject.model, carry, subject.halting, check=subject.task.valid).carry
        going = going & ~carry.halted
        carry = replace(carry, halted=torch.zeros_like(going))
        lot = torch.rand(len(batch), generator=generator).to(going.device)
        drawn = _where(going & (lot < 1 / (number + 1)), carry, drawn)
    return drawn


def pick(carry: Carry, rows: Tensor) -> Carry:
    """Some of the slots, by index."""
    return Carry(
        {level: state[rows] for level, state in carry.states.items()},
        carry.steps[rows],
        carry.first_allowed[rows],
        carry.halted[rows],
        some(carry.batch, rows),
        {name: held[rows] for name, held in carry.memory.items()},
    )


def _where(mask: Tensor, new: Carry, old: Carry) -> Carry:
    def either(a: Tensor, b: Tensor) -> Tensor:
        return torch.where(mask.view(-1, *(1,) * (a.ndim - 1)), a, b)

    return replace(
        old,
        states={level: either(state, old.states[level]) for level, state in new.states.items()},
        steps=either(new.steps, old.steps),
        memory={name: either(held, old.memory.get(name, held)) for name, held in new.memory.items()},
    )
