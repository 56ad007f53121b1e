"""Sizes that no model can have are refused by name."""

import pytest

from hrmlab.attention import Size
from hrmlab.errors import ConfigError


@pytest.mark.parametrize("name", ["width", "layers", "heads", "expansion", "round_to"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_size_of_nothing_is_refused(name: str, value: int) -> None:
    with pytest.raises(ConfigError, match=f"size.{name}={value} came; wanted more than 0"):
        Size(**{name: value})


def test_heads_divide_the_width() -> None:
    assert Size(width=12, heads=3).head_width == 4
    with pytest.raises(ConfigError, match="choose heads that divide it"):
        _ = Size(width=12, heads=5).head_width
