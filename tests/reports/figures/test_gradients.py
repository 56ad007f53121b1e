"""Figures of gradient flow, each drawn from a real measurement."""

from dataclasses import replace

import numpy as np
import pytest

from hrmlab.analysis.probes import PROBES
from hrmlab.api.diagnosing import examined
from hrmlab.blocks import PostNorm
from hrmlab.core.model import HRM
from hrmlab.embeddings import Tokens
from hrmlab.embeddings.puzzle import PuzzleConfig
from hrmlab.reports.figures import CHARTS, svg


@pytest.fixture(scope="module")
def one():
    return examined("sudoku-4x4", (), 6, 3, 0, "cpu", True)[0]


WANTED = {
    "gradient_norms": ["rows before the end", "|dL/dz|", "3 segments", "n = 6"],
    "gradient_bias": ["training", "ceiling", "halting_head", "1.00"],
    "adjoint": ["relative change of u", "answered right", "n = 6"],
    "noise_scale": ["noise scale, puzzles", "state.0", "batch"],
    "updates": ["|change| / |weights|", "state.0", "embedding"],
    "loss_conflict": ["q_halt", "segment", "1.00"],
    "numerics": ["largest magnitude", "parameters", "gradients", "n = 6"],
}


@pytest.mark.parametrize("kind", WANTED)
def test_a_figure_shows_its_measurement(one, kind):
    sizes = {"puzzles": 6} if kind != "updates" else {"steps": 2}
    found = PROBES.get(kind).config(**sizes).run(one)
    (chart,) = CHARTS[kind]
    text = svg(chart, found)
    assert [wanted for wanted in WANTED[kind] if f">{wanted}</text>" not in text] == []
    assert text == svg(chart, found)


def test_identifiers_stand_side_by_side(one):
    config = replace(
        one.model.config, embedding=Tokens(), block=PostNorm(), puzzle=PuzzleConfig(width=24, init_std=1.0)
    )
    model = HRM(config, replace(one.model.spec, num_identifiers=7)).eval()
    test = replace(one.examples, identifiers=np.arange(1, 7, dtype=np.int32))
    other = replace(one, model=model, examples=test, train=None, learner=None)
    found = PROBES.get("puzzle_embedding").config().run(other)
    text = svg(CHARTS["puzzle_embedding"][0], found)
    for wanted in ("own", "blank", "random", "shuffled", "right cells", "held out", "n = 6"):
        assert f">{wanted}</text>" in text
