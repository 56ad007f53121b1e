"""Every chart of representations, drawn from a real measurement."""

import pytest

from hrmlab.analysis.probes import PROBES
from hrmlab.reports.figures import CHARTS, svg

WANTED = {
    "participation_ratio": ["trajectories", "cap", "corrected", "high", "n = 12"],
    "effective_rank": ["effective rank", "low", "n = 12"],
    "token_collapse": ["spread between positions", "high"],
    "similarity": ["debiased CKA", "segments 1 to 3 of each level", "n = 96 rows"],
    "dormant_units": ["low.0.mlp.hidden", "in every call"],
}


@pytest.mark.parametrize("kind", WANTED)
def test_the_chart_says_what_it_shows(subject, kind):
    (drawing,) = CHARTS[kind]
    text = svg(drawing, PROBES.get(kind).config().run(subject(segments=3)))
    assert [words for words in WANTED[kind] if words not in text] == []
