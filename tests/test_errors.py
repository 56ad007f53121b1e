"""Error sentences: what came, the nearest match, all that exist."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import CheckpointError, ConfigError, DataError, HrmLabError, MissingExtraError, unknown


def test_unknown_names_what_came_the_nearest_and_all_that_exist():
    sentence = unknown("block", "post_nrm", ["relational", "post_norm"])
    assert sentence == "unknown block 'post_nrm'; did you mean 'post_norm'? (known: post_norm, relational)"


def test_unknown_offers_no_hint_where_nothing_is_near():
    assert unknown("block", "zzz", ["post_norm"]) == "unknown block 'zzz' (known: post_norm)"


def test_unknown_says_so_where_nothing_exists():
    assert unknown("network", "high", []) == "unknown network 'high' (known: none)"


@given(names=st.lists(st.text("abcdef", min_size=3, max_size=8), min_size=1, unique=True))
def test_unknown_lists_every_name_in_order(names: list[str]):
    assert unknown("x", "QQQQ", iter(names)).endswith(f"(known: {', '.join(sorted(names))})")


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (ConfigError, ValueError),
        (DataError, ValueError),
        (CheckpointError, ValueError),
        (MissingExtraError, ImportError),
    ],
)
def test_every_error_is_the_users_to_mend_and_caught_by_its_builtin_too(error: type, builtin: type):
    assert issubclass(error, HrmLabError) and issubclass(error, builtin)
