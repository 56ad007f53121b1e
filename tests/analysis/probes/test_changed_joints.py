"""Every probe of a model whose levels differ in width, enter each other by gates, and keep part of the old state."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from hrmlab.analysis.probes import PROBES
from hrmlab.analysis.probes.steps import joined, moments, states_after
from hrmlab.core.networks import NetworkConfig
from hrmlab.transitions import Damped, Gate

PARTS: dict[str, Any] = {
    "networks": {"low": NetworkConfig(width=24)},
    "injection": Gate(),
    "retention": Damped(share=0.4),
}


def test_rows_walked_by_hand_are_the_models_own(subject: Callable[..., Any]) -> None:
    one = subject(**PARTS)
    states, after = states_after(one.model, one.batch, 1)
    now = dict(states)
    for moment in moments(one.model, one.batch, states):
        own = moment.update.target
        found = moment.of_states(joined(moment.states)).reshape(now[own].shape)
        assert torch.equal(found, moment.of_state(moment.states[own].flatten(1)).reshape(found.shape))
        now[own] = found
    assert all(torch.equal(now[level], after[level]) for level in now)


@pytest.mark.parametrize("entry", list(PROBES), ids=lambda entry: entry.name)
def test_it_is_measured(subject: Callable[..., Any], entry: Any) -> None:
    result = entry.config().run(subject(**PARTS))
    assert result is not None
