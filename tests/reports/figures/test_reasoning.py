"""Every chart of reasoning, drawn from a real measurement."""

from dataclasses import replace

import numpy as np
import pytest

from hrmlab.analysis.probes import PROBES
from hrmlab.reports.figures import CHARTS, svg

WANTED = {
    "decoding": ["cells, preview", "puzzles, plain", "right to wrong"],
    "patterns": ["immediate", "un-solved", "(n = 12)"],
    "difficulty": ["0 to 1", "2 to 3", "segments to the right answer"],
    "depth_scaling": ["depth of training", "operations for a puzzle", "accuracy"],
    "data": ["held-out: leak", "training: labels", "0 of 12"],
}


@pytest.mark.parametrize("kind", WANTED)
def test_the_chart_says_what_it_shows(subject, puzzles, kind):
    (drawing,) = CHARTS[kind]
    examples = replace(puzzles.test, rating=np.arange(12) // 3)
    one = subject(segments=3, examples=examples)
    parts = {"difficulty": {"bins": 2}, "depth_scaling": {"deepest": 8}}.get(kind, {})
    text = svg(drawing, PROBES.get(kind).config(**parts).run(one))
    assert [words for words in WANTED[kind] if words not in text] == []


def test_the_critical_step_is_drawn_with_and_without_falling_losses(subject):
    (drawing,) = CHARTS["critical_step"]
    probe = PROBES.get("critical_step").config(least=0.0)
    assert "segments from the steepest" in svg(drawing, probe.run(subject(segments=4)))
    probe = PROBES.get("critical_step").config(least=100.0)
    assert "every loss is low" in svg(drawing, probe.run(subject(segments=4)))
