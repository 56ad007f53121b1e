"""Attention's figures from real measurements of a small fresh model."""

import pytest
import torch

from hrmlab.analysis.probes import Subject
from hrmlab.analysis.probes.attention_capture import AttentionCapture
from hrmlab.analysis.probes.attention_entropy import AttentionEntropy
from hrmlab.analysis.probes.attention_structure import AttentionStructure
from hrmlab.blocks import PostNorm, Size
from hrmlab.core.model import HRM, ModelConfig
from hrmlab.core.schedules import HRMSchedule
from hrmlab.embeddings import Rotary, Tokens
from hrmlab.halting import QLearning
from hrmlab.losses import SoftmaxCrossEntropy
from hrmlab.reports.figures import CHARTS, svg
from hrmlab.tasks.sudoku import Sudoku


@pytest.fixture(scope="module")
def subject():
    task, rule = Sudoku(box_rows=2, box_cols=2), QLearning(max_segments=2)
    torch.manual_seed(0)
    config = ModelConfig(
        schedule=HRMSchedule(),
        block=PostNorm(),
        embedding=Tokens(),
        positions=Rotary(),
        size=Size(width=16, layers=1, heads=2, round_to=8),
    )
    examples = task.generate(4, 4, 0).test
    return Subject(HRM(config, task.spec()).eval(), task, examples, SoftmaxCrossEntropy(), rule, rule, segments=2)


def test_every_head_is_named(subject):
    [chart] = CHARTS["attention_capture"]
    text = svg(chart, AttentionCapture(puzzles=2).run(subject))
    assert all(f"{level}.0.attn {head}" in text for level in ("low", "high") for head in (0, 1))
    assert "threshold 0.0001" in text and "n = 2" in text


def test_entropy_over_calls(subject):
    [chart] = CHARTS["attention_entropy"]
    text = svg(chart, AttentionEntropy(puzzles=3).run(subject))
    assert "entropy over ln N" in text and "high.0.attn 1" in text and "segment, n = 3" in text


def test_relations_beside_what_heads_are_worth(subject):
    [chart] = CHARTS["attention_structure"]
    text = svg(chart, AttentionStructure(puzzles=2, ablated=3).run(subject))
    assert all(f">{name}<" in text for name in ("given", "row", "column", "box")) and ">drift<" not in text
    assert "nats a cell lost without it, n = 2" in text
