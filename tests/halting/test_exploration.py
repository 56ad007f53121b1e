"""Which segment a sequence may first halt at: with a probability, uniform over the rest."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.halting import Correctness, Fixed, HaltingConfig, QLearning
from hrmlab.halting.exploration import draw_first_allowed


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@given(slots=st.integers(0, 9), probability=st.floats(0, 1), longest=st.integers(1, 9), seed=st.integers(0, 99))
def test_draws_lie_between_one_and_the_longest(slots: int, probability: float, longest: int, seed: int):
    drawn = draw_first_allowed(slots, probability, longest, generator(seed))
    assert drawn.shape == (slots,) and drawn.dtype == torch.int32
    assert ((drawn >= 1) & (drawn <= longest)).all()


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.6, 1.0])
def test_that_share_of_sequences_explores_uniformly_from_two_to_the_longest(probability: float):
    draws = 40_000
    drawn = draw_first_allowed(draws, probability, 5, generator())
    shares = torch.bincount(drawn, minlength=6) / draws
    assert shares[0] == 0
    assert shares[1].item() == pytest.approx(1 - probability, abs=0.01)
    assert shares[2:].tolist() == pytest.approx([probability / 4] * 4, abs=0.01)


def test_draws_come_from_the_generator_alone():
    first, again, later = (draw_first_allowed(50, 0.5, 9, g) for g in (generator(1), generator(1), generator(2)))
    assert torch.equal(first, again) and not torch.equal(first, later)


@pytest.mark.parametrize("policy", [QLearning, Correctness])
def test_learned_policies_explore_with_their_probability_and_length(policy: type[HaltingConfig]):
    drawn = policy(exploration=1.0, max_segments=3).first_allowed(1000, generator())
    assert set(drawn.tolist()) == {2, 3}
    assert policy(exploration=0.0).first_allowed(100, generator()).eq(1).all()


def test_the_fixed_policy_draws_nothing():
    state = generator()
    before = state.get_state()
    assert Fixed().first_allowed(3, state).tolist() == [1, 1, 1]
    assert torch.equal(state.get_state(), before)


@pytest.mark.parametrize("policy", [QLearning(exploration=1.0), Correctness(exploration=1.0)])
def test_a_sequence_draws_once_and_keeps_its_draw_while_it_works(policy, make_model, make_spec, make_batch):
    """Through refills: a slot at work keeps the number that it was given when it was filled."""
    spec = make_spec()
    model, batch, state = make_model(spec), make_batch(spec, 6), generator(4)
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, policy.first_allowed(6, state))
    given_first = carry.first_allowed.clone()
    again = carry.refill(model.initial_states(), batch, policy.first_allowed(6, state))
    assert torch.equal(again.first_allowed, given_first)
    assert len(set(given_first.tolist())) > 1
