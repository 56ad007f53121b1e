"""The neighbourhood on boards and in sequences."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.attention import SDPA, Context, Place, Windowed
from hrmlab.attention.windowed import window
from hrmlab.errors import ConfigError
from hrmlab.spec import TaskSpec


@given(rows=st.integers(1, 5), columns=st.integers(1, 5), slots=st.integers(0, 2), reach=st.integers(1, 4))
def test_the_window_is_a_square_around_each_cell(
    make_place: Callable[..., Place], rows: int, columns: int, slots: int, reach: int
) -> None:
    spec = TaskSpec(seq_len=rows * columns, vocab_size=3, shape=(rows, columns))
    where = window(make_place(spec, slots), reach)
    for cell in range(spec.seq_len):
        for other in range(spec.seq_len):
            near = abs(cell // columns - other // columns) <= reach and abs(cell % columns - other % columns) <= reach
            assert where[slots + cell, slots + other] == near
    assert where[:slots].all() and where[:, :slots].all()


def test_a_sequence_has_neighbours_on_both_sides(make_place: Callable[..., Place]) -> None:
    for shape in ((5,), ()):
        where = window(make_place(TaskSpec(seq_len=5, vocab_size=3, shape=shape)), 1)
        assert where.sum(axis=1).tolist() == [2, 3, 3, 3, 2] and where[2].tolist() == [False, True, True, True, False]


def test_over_the_whole_board_it_is_sdpa(make_place: Callable[..., Place]) -> None:
    place, x = make_place(slots=1), torch.randn(2, 17, 16)
    module, plain = Windowed(reach=3).build(place), SDPA().build(place)
    plain.load_state_dict(module.state_dict())
    torch.testing.assert_close(module(x, Context()), plain(x, Context()))


def test_a_cell_hears_nothing_from_beyond_its_window(make_place: Callable[..., Place]) -> None:
    module, x = Windowed().build(make_place()), torch.randn(1, 16, 16)
    changed = x.clone()
    changed[:, 0] += 1
    heard = (module(x, Context()) != module(changed, Context())).any(-1)[0].view(4, 4)
    assert heard.nonzero().tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]


def test_a_reach_below_one_is_refused(make_place: Callable[..., Place]) -> None:
    with pytest.raises(ConfigError, match="reach=0; wanted 1 or more"):
        Windowed(reach=0).build(make_place())
