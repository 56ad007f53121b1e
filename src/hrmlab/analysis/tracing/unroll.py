"""Running a model segment by segment outside of training: with or without cutting the graph between segments."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM, Output
from hrmlab.core.recurrence import Observer, States
from hrmlab.tasks.base import Examples


def batch_of(model: HRM, examples: Examples) -> Batch:
    """Examples as tensors on the model's device."""
    parts = (examples.inputs, examples.labels, examples.identifiers)
    device = model.initial.device
    return Batch(*(torch.from_numpy(np.asarray(part).astype(np.int64)).to(device) for part in parts))


def beginning(model: HRM, batch: Batch) -> States:
    """The states that the puzzles of a batch start from."""
    return model.empty_carry(batch).states


def unroll(
    model: HRM,
    batch: Batch,
    segments: int,
    *,
    states: States | None = None,
    cut: bool = True,
    observer: Observer | None = None,
) -> Iterator[Output]:
    """The outputs of `segments` segments, every puzzle going on to the end whatever its halting values say.

    Args:
        states: to begin from; None for the model's own initial ones.
        cut: detach the states between segments, as training does; False lets gradients flow through all of them.
    """
    states = beginning(model, batch) if states is None else states
    for number in range(segments):
        output = model(states, batch, observer, number) if observer else model(states, batch)
        yield output
        states = {level: state.detach() if cut else state for level, state in output.states.items()}


def with_gradient(model: HRM, rows: int | None = None) -> HRM:
    """The same model, weights shared, whose last `rows` rows carry gradient; all of them for None."""
    view = copy.copy(model)
    view.schedule = model.schedule.with_grad_window(len(model.schedule.updates) if rows is None else rows)
    return view


@dataclass(frozen=True)
class Answers:
    """Of n puzzles over T segments: `tokens` (n, T, N), `values` (n, T, 2), `right` (n, T), final `states` by level."""

    tokens: Tensor
    values: Tensor
    right: Tensor
    states: States


@torch.no_grad()
def answering(model: HRM, batch: Batch, segments: int, states: States | None = None) -> Answers:
    """What the model answers after each of `segments` segments, and whether it is wholly right."""
    tokens, values = [], []
    output: Output | None = None
    for output in unroll(model, batch, segments, states=states):
        tokens.append(output.logits.argmax(-1))
        values.append(output.values)
    assert output is not None, "one segment or more"
    said = torch.stack(tokens, 1)
    labels = batch.labels[:, None]
    right = ((said == labels) | (labels < 0)).all(-1)
    return Answers(said, torch.stack(values, 1), right, output.states)


def some(batch: Batch, rows: Tensor) -> Batch:
    """Some rows of a batch, by index or mask."""
    return replace(batch, inputs=batch.inputs[rows], labels=batch.labels[rows], identifiers=batch.identifiers[rows])
