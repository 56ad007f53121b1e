"""A random depth in training, everything in inference."""

import torch
from views import view_of

from hrmlab.halting import Outcome, SampledDepth

POLICY = SampledDepth(max_segments=4)


def test_training_depths_are_uniform_from_one_to_the_limit_and_inference_takes_all():
    drawn = POLICY.first_allowed(40_000, torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=5) / len(drawn)
    assert shares[0] == 0 and (shares[1:] - 0.25).abs().max() < 0.01
    assert POLICY.first_allowed(3, None).tolist() == [4, 4, 4]


def test_a_slot_stops_at_the_depth_that_was_drawn_for_it():
    steps = torch.tensor([1, 2, 3, 4], dtype=torch.int32)
    view = view_of(steps, torch.randn(4, 2))
    assert POLICY.halted(view, torch.full((4,), 2)).tolist() == [False, True, True, True]
    assert POLICY.losses(view, Outcome(torch.ones(4, dtype=torch.bool), torch.zeros(4))) == {}
