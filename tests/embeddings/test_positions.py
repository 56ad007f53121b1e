"""Positions on boards: what scores and vectors know of rows and columns."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.attention import Place
from hrmlab.embeddings import EmbeddingRequest, Learned2D, Rotary, Rotary2D, Tokens
from hrmlab.errors import ConfigError
from hrmlab.layers import rotate, rotation
from hrmlab.spec import TaskSpec

MakePlace = Callable[..., Place]
BOARD = TaskSpec(seq_len=20, vocab_size=3, shape=(4, 5))
LINE = TaskSpec(seq_len=20, vocab_size=3, shape=(20,))


def scores(place: Place, positions: Rotary | Rotary2D, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Scores of one query and one key placed at every pair of positions, (N, N)."""
    angles = positions.rotation(place)
    q, k = (rotate(part.expand(1, place.positions, 1, -1), angles)[0, :, 0] for part in (query, key))
    return q @ k.T


@given(seed=st.integers(0, 99), slots=st.integers(0, 2))
def test_rotary_scores_on_a_board_know_differences_of_rows_and_columns_alone(
    make_place: MakePlace, seed: int, slots: int
) -> None:
    place, generator = make_place(BOARD, slots), torch.Generator().manual_seed(seed)
    found = scores(place, Rotary2D(), *torch.randn(2, 8, generator=generator))[slots:, slots:].view(4, 5, 4, 5)
    torch.testing.assert_close(found[1:, 1:, 1:, 1:], found[:-1, :-1, :-1, :-1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(found[1:, :, 1:], found[:-1, :, :-1], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(found[0, 0, 1, 0], found[0, 0, 0, 1])


def test_half_of_the_numbers_turn_with_rows_and_half_with_columns(make_place: MakePlace) -> None:
    cos, sin = (part.view(4, 5, 8) for part in Rotary2D(theta=50.0).rotation(make_place(BOARD)))
    along = rotation(6, 4, 50.0)
    for found, want in zip((cos, sin), along, strict=True):
        frequencies = want[1:, :2]  # of cells 1, 2, ...; pairs of a head of half the width
        for rows in (found[..., :2], found[..., 4:6]):
            torch.testing.assert_close(rows, frequencies[:4, None].expand(4, 5, 2))
        for columns in (found[..., 2:4], found[..., 6:]):
            torch.testing.assert_close(columns, frequencies[None, :5].expand(4, 5, 2))


def test_puzzle_slots_are_not_turned(make_place: MakePlace) -> None:
    cos, sin = Rotary2D().rotation(make_place(BOARD, slots=2))
    assert cos.shape == sin.shape == (22, 8)
    assert cos[:2].eq(1).all() and sin[:2].eq(0).all() and sin[2:].ne(0).any(-1).all()


def test_in_a_sequence_rotary_is_as_ever(make_place: MakePlace) -> None:
    found = Rotary(theta=100.0).rotation(make_place(LINE, slots=2))
    for ours, want in zip(found, rotation(22, 8, 100.0), strict=True):
        assert torch.equal(ours, want)


def test_learned_vectors_of_a_board_are_a_rows_plus_a_columns_and_slots_have_none() -> None:
    embedding = Tokens().build(EmbeddingRequest(16, BOARD, 32, 2, Learned2D()))
    puzzle, tokens = torch.randn(3, 32), torch.randint(0, 3, (3, 20))
    found = embedding(tokens, puzzle)
    rows, columns = embedding.positions.rows, embedding.positions.columns
    assert rows.shape == (4, 16) and columns.shape == (5, 16)
    torch.testing.assert_close(found[:, :2], 4 * puzzle.view(3, 2, 16) / 2**0.5)
    for cell in range(20):
        want = embedding.tokens[tokens[:, cell]] + rows[cell // 5] + columns[cell % 5]
        torch.testing.assert_close(found[:, 2 + cell], 4 * want / 2**0.5)


def test_the_sum_of_a_row_and_a_column_varies_as_a_token_does() -> None:
    board = TaskSpec(seq_len=90_000, vocab_size=3, shape=(300, 300))
    assert 8 * Learned2D().vectors(board, 0, 64)().std().item() == pytest.approx(1, rel=0.03)


def test_boards_need_rows_and_columns_and_heads_pairs_for_both(make_place: MakePlace) -> None:
    with pytest.raises(ConfigError, match=r"positions 'rotary_2d' need a board.*\[20\]; use positions 'rotary'"):
        Rotary2D().rotation(make_place(LINE))
    with pytest.raises(ConfigError, match="positions 'learned_2d' need a board of rows and columns"):
        Learned2D().vectors(LINE, 0, 16)
    with pytest.raises(ConfigError, match="a head of width 2 is no multiple of 4; change heads"):
        Rotary2D().rotation(make_place(BOARD, heads=8))
    with pytest.raises(ConfigError, match="a head of width 1 is odd; change heads"):
        Rotary().rotation(make_place(BOARD, heads=16))
