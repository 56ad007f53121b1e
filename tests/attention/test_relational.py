"""Heads along the task's relations."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from hrmlab.attention import SDPA, Context, Place, RelationalHeads
from hrmlab.errors import ConfigError
from hrmlab.spec import Relation, TaskSpec


def test_relations_of_all_to_all_are_sdpa(make_place: Callable[..., Place]) -> None:
    spec = TaskSpec(seq_len=6, vocab_size=3, relations=(Relation("all", groups=np.zeros(6, dtype=np.int64)),))
    place, x = make_place(spec, slots=1), torch.randn(2, 7, 16)
    module, plain = RelationalHeads().build(place), SDPA().build(place)
    plain.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(x, Context()), plain(x, Context()))


def test_heads_see_their_relation_and_the_others_all(make_place: Callable[..., Place]) -> None:
    module = RelationalHeads(relations=("box", "row"), heads_each=2).build(make_place(width=24, heads=6))
    rows, columns = np.divmod(np.arange(16), 4)
    boxes = rows // 2 * 2 + columns // 2
    for heads, group in ((slice(0, 2), boxes), (slice(2, 4), rows), (slice(4, 6), np.zeros(16))):
        assert (module.where[heads].numpy() == (group[:, None] == group)).all()


def test_relations_with_one_tie_share_a_head_that_sees_the_cells_of_both(make_place: Callable[..., Place]) -> None:
    module = RelationalHeads().build(make_place())
    rows, columns = np.divmod(np.arange(16), 4)
    cross = (rows[:, None] == rows) | (columns[:, None] == columns)
    assert (module.where[0].numpy() == cross).all()


def test_a_board_turned_over_gives_the_answer_turned_over(make_place: Callable[..., Place]) -> None:
    """Rows and columns are tied, so that the transposed board is a board as good."""
    module, x = RelationalHeads().build(make_place()), torch.randn(2, 16, 16)
    over = torch.arange(16).view(4, 4).T.flatten()
    torch.testing.assert_close(module(x[:, over], Context()), module(x, Context())[:, over])


def test_neighbours_are_seen_and_so_is_the_cell_itself(make_place: Callable[..., Place]) -> None:
    near = Relation("near", neighbours=np.array([[-1, 1], [0, 2], [1, -1]]))
    module = RelationalHeads(heads_each=2).build(make_place(TaskSpec(seq_len=3, vocab_size=3, relations=(near,))))
    assert module.where.tolist() == 2 * [[[True, True, False], [True, True, True], [False, True, True]]]


def test_a_head_does_not_hear_unrelated_cells(make_place: Callable[..., Place]) -> None:
    module, x = RelationalHeads(relations=("row",), heads_each=2).build(make_place()), torch.randn(1, 16, 16)
    changed = x.clone()
    changed[:, 5] += 1
    heard = (module(x, Context()) != module(changed, Context())).any(-1)[0]
    assert heard.nonzero().flatten().tolist() == [4, 5, 6, 7]


def test_too_many_ties_for_the_heads_and_none_at_all_are_refused(make_place: Callable[..., Place]) -> None:
    with pytest.raises(ConfigError, match=r"heads_each=2 for relations \[line, box\] ties 4 of 2 heads; wanted 1 to 2"):
        RelationalHeads(heads_each=2).build(make_place())
    with pytest.raises(ConfigError, match=r"relations \[\] ties 0 of 2 heads"):
        RelationalHeads().build(make_place(TaskSpec(seq_len=3, vocab_size=3)))
    with pytest.raises(ConfigError, match=r"the task has no relation \['diagonal'\]; it has: row, column, box"):
        RelationalHeads(relations=("diagonal",)).build(make_place())
