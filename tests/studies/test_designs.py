"""The arms of each design, written out."""

import pytest

from hrmlab.errors import ConfigError
from hrmlab.studies.designs import arms_of

FACTORS = {"size": {"8": ("width=8",), "16": ("width=16",)}, "norm": {"pre": ("block=pre_norm", "clip=2")}}
SWITCHES = {"a": {"on": ("a=1",)}, "b": {"on": ("b=1",)}, "c": {"on": ("c=1",)}}


def test_one_factor_at_a_time() -> None:
    assert arms_of("one_factor", FACTORS) == {
        "base": (),
        "size=8": ("width=8",),
        "size=16": ("width=16",),
        "norm=pre": ("block=pre_norm", "clip=2"),
    }


def test_all_but_one() -> None:
    assert arms_of("leave_one_out", SWITCHES) == {
        "complete": ("a=1", "b=1", "c=1"),
        "without a": ("b=1", "c=1"),
        "without b": ("a=1", "c=1"),
        "without c": ("a=1", "b=1"),
    }


def test_every_combination() -> None:
    arms = arms_of("factorial", FACTORS)
    assert list(arms) == ["base", "norm=pre", "size=8", "size=8 norm=pre", "size=16", "size=16 norm=pre"]
    assert arms["size=8 norm=pre"] == ("width=8", "block=pre_norm", "clip=2")


def test_no_factors_leave_the_base() -> None:
    assert arms_of("one_factor", {}) == {"base": ()}


def test_factors_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match="factor 'size' has no levels"):
        arms_of("one_factor", {"size": {}})
    with pytest.raises(ConfigError, match="'size' has 2"):
        arms_of("leave_one_out", FACTORS)
