"""The learned bias against the formula, pair by pair."""

from collections.abc import Callable

import torch

from hrmlab.attention import SDPA, Biased, Context, Place
from hrmlab.spec import TaskSpec

BOARD = TaskSpec(seq_len=6, vocab_size=3, shape=(2, 3))


def test_it_starts_as_sdpa(make_place: Callable[..., Place]) -> None:
    place, x = make_place(slots=2), torch.randn(2, 18, 16)
    module, plain = Biased().build(place), SDPA().build(place)
    plain.load_state_dict({name: part for name, part in module.state_dict().items() if name != "bias"})
    for mask in (None, torch.ones(18, 18, dtype=torch.bool).tril()):
        torch.testing.assert_close(module(x, Context(mask=mask)), plain(x, Context(mask=mask)))


def test_a_pairs_bias_is_that_of_its_differences_and_slots_have_none(make_place: Callable[..., Place]) -> None:
    module = Biased().build(make_place(BOARD, slots=1))
    with torch.no_grad():
        module.bias.normal_()
    table, scope = module.bias.view(2, 3, 5), module.scope(Context(), torch.float32)
    for query in range(6):
        for key in range(6):
            rows, columns = query // 3 - key // 3, query % 3 - key % 3
            assert torch.equal(scope[:, 1 + query, 1 + key], table[:, 1 + rows, 2 + columns])
    assert not scope[:, 0].any() and not scope[:, :, 0].any()


def test_the_bias_is_added_to_the_scores(make_place: Callable[..., Place]) -> None:
    module, x = Biased().build(make_place(BOARD)), torch.randn(2, 6, 16)
    with torch.no_grad():
        module.bias.normal_()
    q, k, v = module.prepared(*module.projected(x), Context())
    weights = (q @ k.mT / 8**0.5 + module.scope(Context(), torch.float32)).softmax(-1)
    torch.testing.assert_close(module(x, Context()), module.out((weights @ v).transpose(1, 2).flatten(2)))


def test_a_sequence_is_one_row(make_place: Callable[..., Place]) -> None:
    assert Biased().build(make_place(TaskSpec(seq_len=7, vocab_size=3, shape=(7,)))).bias.shape == (2, 13)
