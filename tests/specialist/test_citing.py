"""A number in a text is cited, and its evidence holds it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.errors import DataError
from hrmlab.results.specialist import Evidence
from hrmlab.specialist.citing import SCALES, cite, unfounded


def evidence(**values: object) -> Evidence:
    return Evidence("e3", "tool", {}, values, "", "", "")


@given(
    value=st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9),
    form=st.sampled_from([".3g", ".2f", ".1f", ",.0f", "+.1f", ".1e"]),
    scale=st.sampled_from(list(SCALES)),
)
def test_what_is_cited_is_found_again(value: float, form: str, scale: str) -> None:
    held = evidence(inner={"some.value": value})
    text = f"It is {cite(held, 'inner.some.value', form, scale)}, as measured."
    assert unfounded(text, [held]) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("The cosine is 0.65 [e3].", "holds no such number"),
        ("The cosine is 0.64 [e4].", "which is no evidence of this consultation"),
        ("The cosine is 0.64.", "'0.64' is cited from nothing"),
        ("It gains 12% [e3] and costs 3 seconds.", "holds no such number"),
        ("A gain of +0.641 [e3].", "holds no such number"),
    ],
)
def test_a_number_from_nowhere_is_named(text: str, problem: str) -> None:
    assert any(problem in found for found in unfounded(text, [evidence(cosine=0.64)]))


def test_code_and_names_are_no_claims() -> None:
    text = "Set `training.batch_size=64` in `hrm-sudoku-4x4`; layer2 of L4 keeps 0.64 [e3]."
    assert unfounded(text, [evidence(cosine=0.64)]) == []


def test_flags_are_no_numbers() -> None:
    assert unfounded("1 [e3]", [evidence(finite=True)]) != []


def test_what_the_evidence_lacks_cannot_be_cited() -> None:
    with pytest.raises(DataError, match="e3 has no number 'cosine'; it has ratio"):
        cite(evidence(ratio=1.0), "cosine")
