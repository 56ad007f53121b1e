"""The symbol axis: unknown, is, is not; one score for each symbol."""

from collections.abc import Callable

import pytest
import torch
from torch import nn

from hrmlab.embeddings import EmbeddingRequest, SymbolAxis
from hrmlab.embeddings.symbols import IMPOSSIBLE
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec

UNKNOWN, IS, IS_NOT = range(3)


@pytest.fixture
def embedding(make_spec: Callable[..., TaskSpec]) -> nn.Module:
    return SymbolAxis().build(EmbeddingRequest(8, make_spec()))


def test_a_blank_cell_knows_nothing_and_a_given_one_what_it_is_and_is_not(embedding: nn.Module):
    x = embedding(torch.tensor([[0, 1, 2, 5]]), None)
    meaning = [
        [UNKNOWN] * 4,  # padding
        [UNKNOWN] * 4,  # blank
        [IS, IS_NOT, IS_NOT, IS_NOT],
        [IS_NOT, IS_NOT, IS_NOT, IS],
    ]
    torch.testing.assert_close(x, embedding.knowledge[torch.tensor([meaning])])


def test_logits_stand_at_the_symbols_tokens_and_others_are_impossible(embedding: nn.Module):
    state = torch.randn(2, 16, 4, 8)
    logits = embedding.logits(state)
    torch.testing.assert_close(logits[..., 2:], state @ embedding.answer.weight[0])
    assert logits.shape == (2, 16, 6) and logits[..., :2].eq(IMPOSSIBLE).all()


def test_logits_keep_the_dtype_of_the_state(embedding: nn.Module):
    assert embedding.logits(torch.randn(1, 16, 4, 8).bfloat16()).dtype == torch.bfloat16


def test_symbols_need_a_task_that_has_them_and_no_puzzle_slots(make_spec: Callable[..., TaskSpec]):
    with pytest.raises(ConfigError, match="needs a task with interchangeable symbols; use embedding 'tokens'"):
        SymbolAxis().build(EmbeddingRequest(8, TaskSpec(seq_len=4, vocab_size=3)))
    with pytest.raises(ConfigError, match=r"no place for a puzzle embedding; set model\.puzzle=none"):
        SymbolAxis().build(EmbeddingRequest(8, make_spec(), 8, 1))
