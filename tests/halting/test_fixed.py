"""The fixed policy never halts before the end and learns nothing."""

import torch
from views import view_of

from hrmlab.halting import Fixed, Outcome


def test_halts_at_the_end_alone_whatever_the_values():
    steps = torch.arange(1, 7, dtype=torch.int32)
    view = view_of(steps, torch.randn(6, 2) * 100)
    assert Fixed(max_segments=4).halted(view, torch.ones_like(steps)).tolist() == [False] * 3 + [True] * 3


def test_has_no_losses_and_does_not_look_ahead():
    view = view_of(torch.ones(2), torch.randn(2, 2))
    assert Fixed().losses(view, Outcome(torch.tensor([True, False]), torch.zeros(2))) == {}
    assert not Fixed().looks_ahead(0)
