"""Each figure drawn from a real measurement, and read again."""

import re

import pytest

from hrmlab.analysis.probes import PROBES, Subject
from hrmlab.api.diagnosing import examined
from hrmlab.reports.figures import CHARTS, svg

SMALL = {
    "fixed_point": {"puzzles": 4, "ladder": (1,)},
    "path_independence": {"puzzles": 4},
    "attractors": {"puzzles": 4, "restarts": 2},
    "trajectory": {"puzzles": 4, "grid": 5},
}
WORDS = {
    "fixed_point": (("segments after solving", "blank cells", "share right"),),
    "path_independence": (("cosine of final states", "from noise", "from swap"),),
    "attractors": (("share of runs", "chosen by", "majority", "any"),),
    "trajectory": (("of the variance in the plane", "second axis"), ("symbols too many", "second axis")),
}


@pytest.fixture(scope="module")
def subject() -> Subject:
    return examined("sudoku-4x4", (), 6, 3, 0, "cpu", True)[0]


@pytest.mark.parametrize("kind", WORDS)
def test_figures_say_what_they_show(subject, kind):
    found = PROBES.get(kind).config(**SMALL[kind]).run(subject)
    for drawing, wanted in zip(CHARTS[kind], WORDS[kind], strict=True):
        text = svg(drawing, found)
        words = re.findall(r">([^<>]+)</text>", text)
        for word in wanted:
            assert any(word in written for written in words), word
