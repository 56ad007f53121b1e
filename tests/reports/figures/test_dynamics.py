"""Each figure drawn from a real measurement, and read again."""

import re

import pytest

from hrmlab.analysis.probes import PROBES, Subject
from hrmlab.api.diagnosing import examined
from hrmlab.reports.figures import CHARTS, svg

SMALL = {
    "convergence_index": {"control": 0},
    "jacobian": {"puzzles": 2, "depths": 1, "iterations": 2, "draws": 1},
    "contraction": {"puzzles": 4, "sizes": (0.01, 0.1)},
    "lyapunov": {"puzzles": 2, "segments": 1, "exponents": 2},
}
WORDS = {
    "forward_residual": ("relative change", "low", "high"),
    "convergence_index": ("cycle of low in high", "spike", "contraction"),
    "settling": ("drift over the last segments", "halting value", "wrong, "),
    "jacobian": ("spectral radius", "spectral norm", "segment, low, high"),
    "contraction": ("gain over a segment", "random", "swap"),
    "lyapunov": ("nats per update", "exponent, largest first"),
}


@pytest.fixture(scope="module")
def subject() -> Subject:
    return examined("hrm-sudoku-6x6", (), 4, 2, 0, "cpu", True)[0]


@pytest.mark.parametrize("kind", WORDS)
def test_a_figure_says_what_it_shows(subject, kind):
    found = PROBES.get(kind).config(**SMALL.get(kind, {})).run(subject)
    (drawing,) = CHARTS[kind]
    text = svg(drawing, found)
    words = re.findall(r">([^<>]+)</text>", text)
    for word in (*WORDS[kind], f"n = {found.n}"):
        assert any(word in written for written in words), word


def test_the_same_numbers_give_the_same_file(subject):
    found = PROBES.get("settling").config().run(subject)
    (drawing,) = CHARTS["settling"]
    assert svg(drawing, found) == svg(drawing, found)
