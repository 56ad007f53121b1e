"""Schedules by name build the tables of their builders."""

import pytest

from hrmlab.core import recurrences
from hrmlab.core.schedule import Schedule
from hrmlab.core.schedules import HRMSchedule, Levels, ScheduleConfig, SingleState, TRMSchedule, Universal
from hrmlab.errors import ConfigError


@pytest.mark.parametrize(
    ("config", "table"),
    [
        (HRMSchedule(), recurrences.hrm(2, 2)),
        (HRMSchedule(high_cycles=3, low_cycles=4), recurrences.hrm(3, 4)),
        (TRMSchedule(), recurrences.trm(3, 6)),
        (TRMSchedule(high_cycles=1, low_cycles=2), recurrences.trm(1, 2)),
        (SingleState(cycles=5), recurrences.single_state(5)),
        (Universal(), recurrences.universal(8, 6)),
        (Levels(periods=(1, 2, 3)), recurrences.levels((1, 2, 3))),
    ],
)
def test_a_configuration_builds_its_builders_table(config: ScheduleConfig, table: Schedule):
    assert config.build() == table


def test_grad_window_replaces_the_builders_own_choice():
    assert HRMSchedule(grad_window=6).build() == recurrences.hrm(2, 2).with_grad_window(6)
    assert TRMSchedule(grad_window=3).build().grad_calls()["high"] == 3


def test_a_window_or_count_that_cannot_work_is_refused_when_built():
    with pytest.raises(ConfigError, match="grad_window=7"):
        HRMSchedule(grad_window=7).build()
    with pytest.raises(ConfigError, match="high_cycles=0"):
        HRMSchedule(high_cycles=0).build()
