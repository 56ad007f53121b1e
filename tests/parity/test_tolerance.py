"""The judge: what passes is within the tolerance, and nothing else."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.interop.parity import Findings, Tolerance

numbers = st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=8)


@given(
    theirs=numbers, atol=st.floats(1e-6, 1.0), rtol=st.floats(0, 1e-2), part=st.floats(0, 3), place=st.integers(0, 7)
)
def test_the_share_is_the_worst_error_over_what_is_allowed(theirs, atol, rtol, part, place):
    want = torch.tensor(theirs, dtype=torch.float64)
    place %= len(want)
    ours = want.clone()
    ours[place] += part * (atol + rtol * abs(theirs[place]))
    share = Tolerance(atol, rtol).share(ours, want)
    assert abs(share - part) <= 1e-6 * (1 + part) + 1e-9 / atol


def test_exact_means_exact():
    assert Tolerance(0.0).share(torch.ones(3), torch.ones(3)) == 0
    assert Tolerance(0.0).share(torch.ones(3), torch.tensor([1.0, 1.0, 1.0 + 1e-6])) == float("inf")


def test_findings_keep_the_worst_and_nothing_found_is_no_pass():
    findings = Findings()
    assert not findings.ok
    findings.note("loss", 0.5, 0.9)
    findings.note("loss", 0.1, 0.2)
    assert findings.ok and findings.error["loss"] == 0.5 and findings.share["loss"] == 0.9
    findings.note("loss", float("nan"), float("nan"))
    findings.note("loss", 0.1, 0.2)
    assert not findings.ok and findings.error["loss"] == float("inf")
