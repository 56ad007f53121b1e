"""A mask of the attention's own, with that of the context."""

from collections.abc import Callable

import numpy as np
import torch

from hrmlab.attention import SDPA, Context, Place
from hrmlab.attention.masked import MaskedAttention, beside_slots


def test_it_is_sdpa_under_both_masks(make_place: Callable[..., Place]) -> None:
    place = make_place()
    where = np.random.default_rng(0).random((2, 16, 16)) < 0.5
    where |= np.eye(16, dtype=np.bool_)
    module, plain, x = MaskedAttention(place.size, where), SDPA().build(place), torch.randn(3, 16, 16)
    plain.load_state_dict(module.state_dict())
    lower = torch.ones(16, 16, dtype=torch.bool).tril()
    torch.testing.assert_close(module(x, Context()), plain(x, Context(mask=torch.from_numpy(where))))
    both = torch.from_numpy(where) & lower
    torch.testing.assert_close(module(x, Context(mask=lower)), plain(x, Context(mask=both)))


def test_the_mask_is_not_saved(make_place: Callable[..., Place]) -> None:
    place = make_place()
    module = MaskedAttention(place.size, np.ones((16, 16), dtype=np.bool_))
    assert module.state_dict().keys() == SDPA().build(place).state_dict().keys()


def test_slots_see_all_and_are_seen_by_all(make_place: Callable[..., Place]) -> None:
    where = beside_slots(np.zeros((3, 16, 16), dtype=np.bool_), make_place(slots=2))
    assert where.shape == (3, 18, 18)
    assert where[:, :2].all() and where[:, :, :2].all() and not where[:, 2:, 2:].any()
