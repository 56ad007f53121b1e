"""Every chart of reasoning, drawn from a real measurement."""

from dataclasses import replace

import numpy as np
import pytest

from hrmlab.analysis.probes import PROBES, Subject
from hrmlab.api.diagnosing import examined
from hrmlab.reports.figures import CHARTS, svg

WANTED = {
    "decoding": ["cells, preview", "puzzles, plain", "right to wrong"],
    "critical_step": ["segments from the steepest", "loss of a cell"],
    "patterns": ["immediate", "un-solved", "(n = 8)"],
    "difficulty": ["0 to 1", "2 to 3", "segments to the right answer"],
    "depth_scaling": ["depth of training", "operations for a puzzle", "accuracy"],
    "data": ["held-out: leak", "training: labels", "0 of 8"],
}
SMALL = {"difficulty": {"bins": 2}, "depth_scaling": {"deepest": 8}}


@pytest.fixture(scope="module")
def one() -> Subject:
    found = examined("hrm-sudoku-6x6", (), 8, 5, 0, "cpu", True)[0]
    found.examples = replace(found.examples, rating=np.arange(8) // 2)
    return found


@pytest.mark.parametrize("kind", WANTED)
def test_the_chart_says_what_it_shows(one, kind):
    (drawing,) = CHARTS[kind]
    text = svg(drawing, PROBES.get(kind).config(**SMALL.get(kind, {})).run(one))
    assert [words for words in WANTED[kind] if words not in text] == []


def test_without_a_step_the_chart_says_so(one):
    (drawing,) = CHARTS["critical_step"]
    assert "every loss is low" in svg(drawing, PROBES.get("critical_step").config(least=100.0).run(one))
