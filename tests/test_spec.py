"""What a task says of its board."""

import numpy as np
import pytest

from hrmlab.errors import ConfigError
from hrmlab.spec import Relation, TaskSpec, by_tie

TEAM = Relation("team", groups=np.array([0, 1, 0, -1]), tie="any")
NEAR = Relation("near", neighbours=np.array([[-1, 1], [0, 2], [1, 3], [2, -1]]))
LINE = Relation("line", groups=np.zeros(4, dtype=np.int64), tie="any")
SPEC = TaskSpec(seq_len=4, vocab_size=2, shape=(2, 2), relations=(TEAM, NEAR, LINE))


def test_links_are_the_cells_of_the_group_or_the_neighbours() -> None:
    assert TEAM.links.astype(int).tolist() == [[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]
    assert NEAR.links.astype(int).tolist() == [[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]]


def test_cells_stand_in_rows_and_columns_or_in_one_row() -> None:
    assert SPEC.coordinates.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    for shape in ((3,), ()):
        assert TaskSpec(seq_len=3, vocab_size=2, shape=shape).coordinates.tolist() == [[0, 0], [0, 1], [0, 2]]


def test_relations_are_chosen_by_name_in_the_order_asked_for() -> None:
    assert SPEC.chosen(None) == [TEAM, NEAR, LINE]
    assert SPEC.chosen(("near", "team")) == [NEAR, TEAM] and SPEC.chosen(()) == []
    with pytest.raises(ConfigError, match=r"the task has no relation \['far'\]; it has: team, near, line"):
        SPEC.chosen(("near", "far"))


def test_relations_of_one_tie_stand_together() -> None:
    assert by_tie(SPEC.relations) == {"any": [TEAM, LINE], "near": [NEAR]}
