"""Addresses and the patterns that mean them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.analysis.tracing.address import Address, Pattern, clocks, patterns
from hrmlab.core.recurrences import hrm, levels, single_state
from hrmlab.errors import ConfigError


def test_each_row_has_a_clock_of_its_own():
    assert ["/".join(f"{n}{i}" for n, i in clock) for clock in clocks(hrm(2, 2))] == [
        "h0/l0", "h0/l1", "h0", "h1/l0", "h1/l1", "h1",
    ]  # fmt: skip
    assert clocks(single_state(3)) == [(("s", 0),), (("s", 1),), (("s", 2),)]
    named = clocks(levels((2, 2, 2)))
    assert named[0] == (("level0_", 0), ("level1_", 0), ("level2_", 0))
    rows = levels((2, 2, 2)).updates
    assert len({(clock, row.target) for clock, row in zip(named, rows, strict=True)}) == len(rows)


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("seg3/h1/l0/low.2.attn.pattern", True),
        ("low.*.attn.pattern", True),
        ("*/low.2.attn.*", True),
        ("seg-1/low.2.attn.pattern", True),
        ("seg0:3/low.2.attn.pattern", False),
        ("seg2:/h*/l0/low.2.attn.pattern", True),
        ("row3/low.2.attn.pattern", True),
        ("h0/low.2.attn.pattern", False),
        ("low.2.attn", False),
        ("logits", False),
    ],
)
def test_patterns(text, fits):
    address = Address(3, 3, (("h", 1), ("l", 0)), "low.2.attn.pattern")
    assert Pattern.parse(text).fits(address, segments=4) is fits


def test_counts_that_an_address_lacks_do_not_match():
    high = Address(0, 2, (("h", 0),), "high.state")
    assert not Pattern.parse("l0/high.state").fits(high, 1)


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_every_address_matches_its_own_text(segment, high, low):
    address = Address(segment, 0, (("h", high), ("l", low)), "low.0.mlp.hidden")
    assert Pattern.parse(str(address)).fits(address, 10)
    assert (
        sum(Pattern.parse(str(address)).fits(Address(s, 0, address.counts, address.site), 10) for s in range(10)) == 1
    )


@pytest.mark.parametrize("text", ["", "seg3/", "3/low.state", "seg/low.state", "seg1.5/low.state"])
def test_what_is_no_pattern_says_what_is(text):
    with pytest.raises(ConfigError, match="is no address; wanted"):
        patterns(text)
