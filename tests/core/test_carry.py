"""The carry: halted slots start anew, the others go on untouched."""

from collections.abc import Callable

import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.core.carry import Batch, Carry
from hrmlab.spec import TaskSpec


def carry_of(batch: Batch, halted: list[bool], state_dims: int) -> Carry:
    slots = len(batch)
    shape = (
        (slots, batch.inputs.shape[1], 3, 4)[: state_dims + 1] if state_dims == 3 else (slots, batch.inputs.shape[1], 4)
    )
    return Carry(
        {"high": torch.randn(shape), "low": torch.randn(shape)},
        torch.arange(1, slots + 1, dtype=torch.int32),
        torch.arange(2, slots + 2, dtype=torch.int32),
        torch.tensor(halted),
        batch,
    )


@given(halted=st.lists(st.booleans(), min_size=1, max_size=6), state_dims=st.sampled_from([2, 3]))
def test_refill_gives_halted_slots_new_rows_and_leaves_the_others_bitwise(
    make_spec: Callable[..., TaskSpec], make_batch: Callable[..., Batch], halted: list[bool], state_dims: int
):
    spec = make_spec()
    old, offered = make_batch(spec, len(halted), seed=1), make_batch(spec, len(halted), seed=2)
    carry = carry_of(old, halted, state_dims)
    initial = {"high": torch.randn(4), "low": torch.randn(4)}
    first_allowed = torch.full((len(halted),), 9, dtype=torch.int32)
    after = carry.refill(initial, offered, first_allowed)
    for slot, fresh in enumerate(halted):
        rows = offered if fresh else old
        assert torch.equal(after.batch.inputs[slot], rows.inputs[slot])
        assert torch.equal(after.batch.labels[slot], rows.labels[slot])
        assert after.batch.identifiers[slot] == rows.identifiers[slot]
        assert after.steps[slot] == (0 if fresh else carry.steps[slot])
        assert after.first_allowed[slot] == (9 if fresh else carry.first_allowed[slot])
        for level, state in after.states.items():
            expected = initial[level].expand_as(state[slot]) if fresh else carry.states[level][slot]
            assert torch.equal(state[slot], expected)
    assert not after.halted.any()
    assert after.steps.dtype == after.first_allowed.dtype == torch.int32
    assert carry.halted.tolist() == halted


def test_refill_keeps_the_dtype_of_the_carried_states(
    make_spec: Callable[..., TaskSpec], make_batch: Callable[..., Batch]
):
    carry = carry_of(make_batch(make_spec(), 2), [True, False], 2)
    low_precision = Carry(
        {level: state.bfloat16() for level, state in carry.states.items()},
        carry.steps,
        carry.first_allowed,
        carry.halted,
        carry.batch,
    )
    after = low_precision.refill({level: torch.zeros(4) for level in carry.states}, carry.batch, carry.first_allowed)
    assert {state.dtype for state in after.states.values()} == {torch.bfloat16}


def test_where_takes_this_batch_where_the_mask_holds(
    make_spec: Callable[..., TaskSpec], make_batch: Callable[..., Batch]
):
    spec = make_spec()
    one, other = make_batch(spec, 3, seed=1), make_batch(spec, 3, seed=2)
    mixed = one.where(torch.tensor([True, False, True]), other)
    assert len(mixed) == 3
    for slot, source in enumerate((one, other, one)):
        assert torch.equal(mixed.inputs[slot], source.inputs[slot])
        assert torch.equal(mixed.labels[slot], source.labels[slot])
        assert mixed.identifiers[slot] == source.identifiers[slot]
