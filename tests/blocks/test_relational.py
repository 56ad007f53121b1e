"""Means along relations, written out cell by cell."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hrmlab.attention import Context
from hrmlab.blocks import Place, Relational, Size
from hrmlab.errors import ConfigError
from hrmlab.spec import Relation, TaskSpec

GROUPS = Relation("team", groups=np.array([0, 1, 0, -1, 1, 0]))
NEAR = Relation("near", neighbours=np.array([[-1, 1], [0, 2], [1, 3], [2, 4], [3, 5], [4, -1]]))
PLAIN = TaskSpec(seq_len=6, vocab_size=4, relations=(GROUPS, NEAR))


def build(size: Size, spec: TaskSpec, symbols: bool = False, **fields: object) -> nn.Module:
    torch.manual_seed(5)
    return Relational(**fields).build(Place(size, spec, spec.seq_len, 0, symbols))


def related_mean(relation: Relation, x: Tensor, cell: int) -> Tensor:
    """The mean that a cell sees: over its group, or over its neighbours with absent ones counted as zero."""
    if relation.groups is not None:
        group = relation.groups[cell]
        return x[:, relation.groups == group].mean(1) if group >= 0 else torch.zeros_like(x[:, 0])
    present = [x[:, other] for other in relation.neighbours[cell] if other >= 0]
    return sum(present) / relation.neighbours.shape[1]


def by_hand(block: nn.Module, spec: TaskSpec, x: Tensor) -> Tensor:
    rows, maps = [], dict(block.across_groups.items()) | dict(block.across_neighbours.items())
    for cell in range(x.shape[1]):
        here, heard = x[:, cell], torch.zeros_like(x[:, cell])
        for relation in spec.relations:
            heard = heard + maps[relation.tie or relation.name](related_mean(relation, x, cell))
        if block.across_symbols is not None:
            heard = heard + block.across_symbols(here.mean(1, keepdim=True))
        both = torch.cat((here, heard), -1)
        rows.append(here + block.down(F.silu(block.gate(both)) * block.up(both)))
    out = torch.stack(rows, 1)
    return out / (out.square().mean(-1, keepdim=True) + 1e-5).sqrt()


def test_a_block_is_its_formula_over_groups_and_neighbours(tiny: Size):
    block, x = build(tiny, PLAIN), torch.randn(3, 6, 16)
    torch.testing.assert_close(block(x, Context()), by_hand(block, PLAIN, x), atol=1e-5, rtol=1e-5)


def test_a_block_on_a_symbol_axis_sees_the_cells_other_symbols_too(make_spec: Callable[..., TaskSpec], tiny: Size):
    spec = make_spec()
    block, x = build(tiny, spec, symbols=True), torch.randn(2, 16, 4, 16)
    torch.testing.assert_close(block(x, Context()), by_hand(block, spec, x), atol=1e-5, rtol=1e-5)


def test_gradients_equal_those_of_the_formula(tiny: Size):
    block, x = build(tiny, PLAIN), torch.randn(2, 6, 16)
    weights, parameters = torch.randn(2, 6, 16), list(block.parameters())
    ours = torch.autograd.grad((block(x, Context()) * weights).sum(), parameters)
    theirs = torch.autograd.grad((by_hand(block, PLAIN, x) * weights).sum(), parameters)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("symbols", [False, True])
def test_the_memory_layout_of_the_input_does_not_matter(make_spec: Callable[..., TaskSpec], tiny: Size, symbols: bool):
    spec = make_spec()
    block = build(tiny, spec, symbols=symbols)
    x = torch.randn(2, 16, 4, 16) if symbols else torch.randn(2, 16, 16)
    turned = x.transpose(0, 1).contiguous().transpose(0, 1)
    backwards = x.transpose(1, -1).contiguous().transpose(1, -1)
    assert not turned.is_contiguous() and not backwards.is_contiguous()
    for layout in (turned, backwards):
        torch.testing.assert_close(block(layout, Context()), block(x, Context()), atol=1e-5, rtol=1e-5)


def test_relations_with_one_tie_share_their_weights(make_spec: Callable[..., TaskSpec], tiny: Size):
    assert list(build(tiny, make_spec()).across_groups) == ["line", "box"]


def test_relations_may_be_chosen_by_name(tiny: Size):
    block, x = build(tiny, PLAIN, relations=("near",)), torch.randn(2, 6, 16)
    assert list(block.across_neighbours) == ["near"]
    only_near = TaskSpec(seq_len=6, vocab_size=4, relations=(NEAR,))
    torch.testing.assert_close(block(x, Context()), by_hand(block, only_near, x), atol=1e-5, rtol=1e-5)


def test_no_relations_at_all_leaves_the_symbols_of_a_cell(make_spec: Callable[..., TaskSpec], tiny: Size):
    block = build(tiny, make_spec(), symbols=True, relations=())
    x = torch.randn(1, 16, 4, 16)
    changed = torch.cat((x[:, :1], torch.randn(1, 15, 4, 16)), 1)
    torch.testing.assert_close(block(x, Context())[:, 0], block(changed, Context())[:, 0])


def test_a_cell_is_told_nothing_from_beyond_its_relations(tiny: Size):
    block, x = build(tiny, PLAIN, relations=("team",)), torch.randn(1, 6, 16)
    changed = x.clone()
    changed[:, 4] = torch.randn(16)  # of the team of cells 1 and 4
    same = (block(x, Context()) == block(changed, Context())).all(-1)[0]
    assert same.tolist() == [True, False, True, True, False, True]


def test_nothing_about_the_board_is_saved(make_spec: Callable[..., TaskSpec], tiny: Size):
    small, large = build(tiny, make_spec()), build(tiny, make_spec(3, 3))
    assert {name: t.shape for name, t in small.state_dict().items()} == {
        name: t.shape for name, t in large.state_dict().items()
    }


def test_a_missing_relation_is_refused_with_those_that_exist(tiny: Size):
    with pytest.raises(ConfigError, match=r"the task has no relation \['diagonal'\]; it has: team, near"):
        build(tiny, PLAIN, relations=("diagonal",))
