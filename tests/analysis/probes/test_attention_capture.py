"""D-29: what is computed again is what the heads used, and a module that mixes otherwise is found."""

import pytest

from hrmlab.analysis.probes.attention_capture import AttentionCapture
from hrmlab.attention import SDPA
from hrmlab.attention.gated import Gated
from hrmlab.blocks import PostNorm
from hrmlab.core.schedules import HRMSchedule, TRMSchedule


@pytest.mark.parametrize("schedule", [HRMSchedule(), TRMSchedule(high_cycles=1, low_cycles=2)])
@pytest.mark.parametrize("attention", [SDPA(), Gated()])
def test_patterns_are_those_that_the_heads_use(subject, schedule, attention):
    found = AttentionCapture(puzzles=3).run(subject(schedule=schedule, block=PostNorm(attention=attention)))
    assert found.verdict == "ok"
    assert found.scalars["parity_error"] < 1e-5 and found.scalars["sum_error"] < 1e-5
    assert {row["place"] for row in found.table} == {f"{s}.{i}.attn" for s in ("low", "high") for i in (0, 1)}
    assert len(found.table) == 2 * 2 * 2


def test_heads_that_give_something_else_are_found(subject):
    one = subject()
    attention = one.model.networks["low"].blocks[1].attention
    attention.out.register_forward_pre_hook(lambda _m, args: (args[0].roll(1, 1),))
    found = AttentionCapture(puzzles=3).run(one)
    assert [finding.rule for finding in found.findings] == ["attention_capture.parity"]
    assert "low.1.attn" in found.findings[0].seen


def test_a_model_without_attention_has_nothing_to_capture(shipped):
    found = AttentionCapture().run(shipped("hrm-sudoku-6x6", 2, 2))
    assert found.verdict == "n/a" and "no softmax attention" in found.why
