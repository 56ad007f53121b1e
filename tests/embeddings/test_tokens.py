"""Token vectors, puzzle slots and learned positions."""

from collections.abc import Callable

import pytest
import torch

from hrmlab.embeddings import EmbeddingRequest, Learned, NoPositions, PuzzleConfig, Rotary, Tokens
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec

MakeSpec = Callable[..., TaskSpec]


def test_a_token_is_its_vector_times_the_root_of_the_width(make_spec: MakeSpec):
    embedding = Tokens().build(EmbeddingRequest(16, make_spec()))
    tokens = torch.randint(0, 6, (3, 16))
    torch.testing.assert_close(embedding(tokens, None), 4 * embedding.tokens[tokens])


def test_tokens_start_with_unit_variance():
    embedding = Tokens().build(EmbeddingRequest(64, TaskSpec(seq_len=500, vocab_size=500)))
    assert embedding(torch.arange(500)[None], None).std().item() == pytest.approx(1, rel=0.02)


@pytest.mark.parametrize(("puzzle_width", "slots"), [(16, 1), (40, 3), (48, 3), (5, 2)])
def test_the_puzzle_vector_fills_its_slots_and_the_rest_of_them_is_zero(
    make_spec: MakeSpec, puzzle_width: int, slots: int
):
    embedding = Tokens().build(EmbeddingRequest(16, make_spec(), puzzle_width, slots))
    puzzle, tokens = torch.randn(2, puzzle_width), torch.randint(0, 6, (2, 16))
    x = embedding(tokens, puzzle)
    assert x.shape == (2, slots + 16, 16)
    leading = x[:, :slots].flatten(1) / 4
    torch.testing.assert_close(leading[:, :puzzle_width], puzzle)
    assert leading[:, puzzle_width:].eq(0).all()
    torch.testing.assert_close(x[:, slots:], 4 * embedding.tokens[tokens])


def test_learned_positions_are_averaged_with_tokens_and_puzzle(make_spec: MakeSpec):
    embedding = Tokens().build(EmbeddingRequest(16, make_spec(), 16, 1, Learned()))
    puzzle, tokens = torch.randn(2, 16), torch.randint(0, 6, (2, 16))
    content = torch.cat((puzzle[:, None], embedding.tokens[tokens]), 1)
    expected = 4 * (content + embedding.positions) / 2**0.5
    torch.testing.assert_close(embedding(tokens, puzzle), expected)


@pytest.mark.parametrize("positions", [Rotary(), NoPositions()])
def test_other_positions_add_no_parameters(make_spec: MakeSpec, positions: object):
    embedding = Tokens().build(EmbeddingRequest(16, make_spec(), positions=positions))
    assert {name for name, _ in embedding.named_parameters()} == {"tokens", "answer.weight"}


def test_logits_are_read_from_the_cells_and_not_from_the_slots(make_spec: MakeSpec):
    embedding = Tokens().build(EmbeddingRequest(16, make_spec(), 32, 2))
    state = torch.randn(2, 18, 16)
    logits = embedding.logits(state)
    assert logits.shape == (2, 16, 6)
    torch.testing.assert_close(logits, state[:, 2:] @ embedding.answer.weight.T)


def test_slots_are_as_many_as_the_vector_fills_unless_said_otherwise():
    assert [PuzzleConfig(width=width).slots_at(16) for width in (1, 16, 17, 48)] == [1, 1, 2, 3]
    assert PuzzleConfig(width=16, slots=4).slots_at(16) == 4


def test_a_puzzle_vector_that_does_not_fit_its_slots_is_refused_and_never_cut(make_spec: MakeSpec):
    with pytest.raises(ConfigError, match="slots"):
        Tokens().build(EmbeddingRequest(16, make_spec(), puzzle_width=40, slots=2))
