"""Slots as in training: each before one of its own segments, with that segment's states."""

import torch

from hrmlab.analysis.probes.maths.slots import pick, training_batch, training_slots
from hrmlab.analysis.tracing import unroll
from hrmlab.halting import Fixed


def test_every_puzzle_is_before_one_of_its_segments(subject):
    one = subject(halting=Fixed(max_segments=3))
    batch = training_batch(one, 24)
    slots = training_slots(one, batch)
    assert set(slots.steps.tolist()) == {0, 1, 2}
    assert not slots.halted.any()
    with torch.no_grad():
        after = next(iter(unroll(one.model, batch, 1))).states["high"]
    second = slots.steps == 1
    assert torch.equal(slots.states["high"][second], after[second])
    first = slots.steps == 0
    assert torch.equal(slots.states["high"][first], one.model.initial_states()["high"].expand_as(after)[first])


def test_a_policy_that_halts_at_once_leaves_only_first_segments(subject):
    one = subject(halting=Fixed(max_segments=1))
    assert training_slots(one, training_batch(one, 8)).steps.tolist() == [0] * 8


def test_picked_slots_keep_their_own(subject):
    one = subject(halting=Fixed(max_segments=3))
    slots = training_slots(one, training_batch(one, 8))
    some = pick(slots, torch.tensor([5, 2]))
    assert torch.equal(some.batch.inputs[1], slots.batch.inputs[2])
    assert some.steps.tolist() == [int(slots.steps[5]), int(slots.steps[2])]


def test_held_out_puzzles_stand_in_where_training_ones_are_gone(subject):
    one = subject(train=None)
    assert torch.equal(training_batch(one, 4).inputs, one.some(4).inputs)
