"""What is kept of the old state."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.attention import Place
from hrmlab.errors import ConfigError
from hrmlab.transitions import Damped, Normalised

MakePlace = Callable[..., Place]


def test_damping_goes_part_of_the_way(make_place: MakePlace) -> None:
    before, after = torch.zeros(2, 16, 16), torch.ones(2, 16, 16)
    torch.testing.assert_close(Damped(share=0.2).build(make_place())(before, after), torch.full_like(after, 0.2))


def test_the_share_is_learned_where_it_is_said_to_be(make_place: MakePlace) -> None:
    fixed, learned = Damped().build(make_place()), Damped(learned=True).build(make_place())
    assert not list(fixed.parameters()) and [tuple(p.shape) for p in learned.parameters()] == [(16,)]
    assert not fixed.state_dict()
    learned(torch.zeros(2, 16, 16), torch.ones(2, 16, 16)).sum().backward()
    assert learned.share.grad.gt(0).all()


def test_noise_is_of_training_alone(make_place: MakePlace) -> None:
    module = Damped(share=0.5, noise=0.1).build(make_place())
    x = torch.zeros(64, 16, 16)
    assert module(x, x).std().item() == pytest.approx(0.1, rel=0.05)
    assert module.eval()(x, x).eq(0).all()


@pytest.mark.parametrize(
    ("part", "said"), [(Damped(share=1.0), "share=1.0 came"), (Damped(noise=-1.0), "noise=-1.0 came")]
)
def test_settings_that_cannot_work_are_refused(make_place: MakePlace, part: Damped, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        part.build(make_place())


def test_a_normalised_state_is_of_size_one(make_place: MakePlace) -> None:
    before, after = torch.randn(2, 2, 16, 16).mul(9).unbind()
    mixed = Normalised().build(make_place())(before, after)
    torch.testing.assert_close(mixed.square().mean(-1), torch.ones(2, 16), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mixed, (before + after) / (before + after).square().mean(-1, keepdim=True).sqrt())
