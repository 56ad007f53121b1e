"""Every chart of representations, drawn from a real measurement."""

import pytest

from hrmlab.analysis.probes import PROBES, Subject
from hrmlab.api.diagnosing import examined
from hrmlab.reports.figures import CHARTS, svg

WANTED = {
    "participation_ratio": ["trajectories", "cap", "corrected", "high", "n = 8"],
    "effective_rank": ["effective rank", "low", "n = 8"],
    "token_collapse": ["spread between positions", "high"],
    "similarity": ["debiased CKA", "segments 1 to 3 of each level", "n = 64 rows"],
    "dormant_units": ["low.0.hidden", "in every call"],
}


@pytest.fixture(scope="module")
def one() -> Subject:
    return examined("hrm-sudoku-6x6", (), 8, 3, 0, "cpu", True)[0]


@pytest.mark.parametrize("kind", WANTED)
def test_the_chart_says_what_it_shows(one, kind):
    (drawing,) = CHARTS[kind]
    text = svg(drawing, PROBES.get(kind).config().run(one))
    assert [words for words in WANTED[kind] if words not in text] == []
