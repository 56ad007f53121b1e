"""What a run needs, against what other parts of the package say of it."""

import pytest

from hrmlab.config import override
from hrmlab.errors import ConfigError
from hrmlab.presets import preset
from hrmlab.studies.tuning.limits import Limits, Needs, latency
from hrmlab.studies.work import work_of

BASE = preset("sudoku-4x4").make()


def test_needs_are_those_of_the_model() -> None:
    needs, work = Limits(flops=10**12).needs(BASE), work_of(BASE)
    assert (needs.params, needs.flops, needs.latency_ms) == (work.parameters, work.segment_flops, None)
    assert needs.memory_mb is not None
    assert needs.memory_mb > 4 * 4 * needs.params / 1e6  # weights, their average, gradients, one moment at least
    assert Limits().needs(BASE) == Limits(params=1, flops=1).needs(BASE) == Needs(params=work.parameters)


def test_only_what_is_too_much_is_over() -> None:
    needs = Needs(params=200, flops=50, memory_mb=1.0)
    assert Limits().over(needs) == {}
    assert Limits(params=200, flops=50).over(needs) == {}
    assert Limits(params=100, flops=51, memory_mb=0.5).over(needs) == {"params": 2.0, "memory_mb": 2.0}


def test_more_cycles_take_longer() -> None:
    long = override(BASE, ["model.schedule.cycles=60"])
    assert latency(long) > 2 * latency(BASE) > 0
    needs = Limits(latency_ms=1e6).needs(BASE)
    assert needs.latency_ms is not None and Limits(latency_ms=1e6).over(needs) == {}


def test_a_limit_is_more_than_nothing() -> None:
    with pytest.raises(ConfigError, match="params=0"):
        Limits(params=0)
