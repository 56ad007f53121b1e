"""Numbers in the text of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.reading import whole


@given(st.integers(0, 10**19 - 1))
def test_digits_are_a_number(number: int) -> None:
    assert whole(str(number)) == number


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", " 1", "1_0", "²", "٣", "9" * 20, "9" * 5000])
def test_other_text_is_none(text: str) -> None:
    assert whole(text) is None
