"""A model's steps as functions of its states: a whole segment, and each update on its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from hrmlab.analysis.probes.maths.linearised import Step
from hrmlab.analysis.tracing.unroll import beginning, unroll, with_gradient
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.core.schedule import INPUT, Update


def joined(states: States) -> Tensor:
    """All levels of each puzzle as one vector, (B, D)."""
    return torch.cat([state.flatten(1) for state in states.values()], dim=1)


def parted(flat: Tensor, like: States) -> States:
    """The states, shaped as `like`, that `joined` made (B, D) of; B may be another."""
    parts = torch.split(flat, [state[0].numel() for state in like.values()], dim=1)
    return {level: part.reshape(-1, *like[level].shape[1:]) for level, part in zip(like, parts, strict=True)}


def segment_step(model: HRM, batch: Batch, like: States) -> Step:
    """A segment as a function of the joined states, with gradient through all of its rows."""
    whole = with_gradient(model)
    return lambda flat: joined(whole(parted(flat, like), batch).states)


@dataclass(frozen=True)
class Moment:
    """A row of the schedule about to be computed: number, update, the states before it, and what its network reads."""

    row: int
    update: Update
    states: States
    x: Tensor
    step: Step
    """The network as a function of what it reads, (B, D) -> (B, D)."""
    new: Callable[[States], Tensor]
    """The level's new state as a function of all states."""

    def of_state(self, flat: Tensor) -> Tensor:
        """The update as a function of its own level's state, (B, D) -> (B, D), the others being as they are."""
        own = self.update.target
        return self.new({**self.states, own: flat.reshape(self.states[own].shape)}).flatten(1)

    def of_states(self, flat: Tensor) -> Tensor:
        """The update as a function of all states joined, (B, all of D) -> (B, D)."""
        return self.new(parted(flat, self.states)).flatten(1)


@torch.no_grad()
def moments(model: HRM, batch: Batch, states: States) -> Iterator[Moment]:
    """Every row of one segment, in order; the walk is the model's own (`core.recurrence.run`)."""
    inputs, context, states = model.embed(batch)[0], model.context(), dict(states)
    for row, update in enumerate(model.schedule.updates):
        network = model.networks[update.network]

        def entering(now: States, update: Update = update) -> Tensor:
            sources = [inputs if source == INPUT else now[source] for source in update.sources]
            return model.joints.enter(update, now[update.target], sources, context)

        def new(now: States, update: Update = update, network: Callable[..., Tensor] = network) -> Tensor:
            return model.joints.leave(update, now[update.target], network(entering(now, update), context))

        x = entering(states)

        def step(flat: Tensor, network: Callable[..., Tensor] = network, like: Tensor = x) -> Tensor:
            return network(flat.reshape(like.shape), context).flatten(1)

        yield Moment(row, update, dict(states), x, step, new)
        states[update.target] = new(states)


@torch.no_grad()
def states_after(model: HRM, batch: Batch, segments: int, states: States | None = None) -> list[States]:
    """The states at the beginning and after each of `segments` segments."""
    found = [beginning(model, batch) if states is None else states]
    return found + [output.states for output in unroll(model, batch, segments, states=states)]


def tangent_to(states: States) -> Callable[[Tensor], Tensor]:
    """A projection of joined directions, (B, D): what is along the vectors of normalised levels is taken out.

    A norm at the end of a network holds the length of every vector, so that no state can be off along it.
    """
    on = {level: _one_length(state) for level, state in states.items()}

    def project(flat: Tensor) -> Tensor:
        parts = parted(flat, states)
        return joined(
            {
                level: part - states[level] * _along(part, states[level]) if on[level] else part
                for level, part in parts.items()
            }
        )

    return project


def _along(part: Tensor, state: Tensor) -> Tensor:
    return (part * state).sum(-1, keepdim=True) / state.square().sum(-1, keepdim=True)


def _one_length(state: Tensor) -> bool:
    """Whether all vectors of a level are equally long, to a hundredth."""
    lengths = state.float().norm(dim=-1)
    return bool(lengths.amax() - lengths.amin() < 0.01 * lengths.mean())
