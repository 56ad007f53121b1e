"""D-32: gains of a sum by hand; a level that is cut off is found."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from hrmlab.analysis.probes.coupling import Coupling, Link, links
from hrmlab.core import model as core
from hrmlab.core.recurrence import Network
from hrmlab.core.recurrences import hrm
from hrmlab.core.schedules import HRMSchedule, Levels, SingleState, TRMSchedule

FEW = Coupling(puzzles=4, segments=2)


class Scale(nn.Module):
    """A linear network: a number times what comes in."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x, context):
        return self.factor * x


def test_ways_into_levels_are_the_schedules_last():
    found = {(link.source, link.target): (link.written, link.read) for link in links(hrm(2, 2))}
    # rows: low low high low low high
    assert found == {
        ("high", "high"): (2, 5),
        ("low", "high"): (4, 5),
        ("high", "low"): (2, 3),
        ("low", "low"): (3, 4),
        ("input", "low"): (-1, 0),
    }
    assert Link("low", "high", 4, 5) in list(links(hrm(2, 2)))


def test_gains_of_a_linear_network_are_the_shares_of_lengths(subject):
    one = subject(schedule=SingleState(cycles=1))
    one.model.networks[one.model.schedule.networks[0]] = Network([Scale(3.0)])
    found = Coupling(puzzles=1, segments=1).run(one)
    assert found.table[0]["share"] == pytest.approx(found.table[0]["size"], rel=1e-3)
    batch = one.some(1)
    state, given = one.model.empty_carry(batch).states["state"], one.model.embed(batch)[0].detach()
    by_hand = float(given.norm() / (state + given).norm())
    assert found.scalars["input_to_state"] == pytest.approx(by_hand, rel=1e-3)


@pytest.mark.parametrize(
    "schedule", [HRMSchedule(), TRMSchedule(high_cycles=1, low_cycles=2), Levels(periods=(2, 1, 2)), SingleState()]
)
def test_a_fresh_model_is_coupled(subject, schedule):
    found = FEW.run(subject(schedule=schedule))
    assert found.verdict == "ok"
    assert all(row["gain"] > 0.01 and row["untrained"] > 0 for row in found.table)


def without_high(schedule):
    """The table with the high level taken from what the low one reads."""
    rows = tuple(
        replace(row, sources=tuple(source for source in row.sources if source != "high"))
        if row.target == "low"
        else row
        for row in schedule.updates
    )
    return replace(schedule, updates=rows)


def test_a_low_level_that_does_not_hear_the_high_one_is_found(subject, monkeypatch):
    one, whole = subject(), core.run
    monkeypatch.setattr(core, "run", lambda schedule, *rest, **options: whole(without_high(schedule), *rest, **options))
    found = Coupling(puzzles=4, segments=2).run(one)
    assert [(f.rule, f.severity) for f in found.findings] == [("coupling.disconnected", "fail")]
    assert "'low' does not answer to 'high'" in found.findings[0].seen and found.findings[0].observed == 0


def test_a_low_level_that_the_input_drowns_is_found(subject):
    one = subject()
    one.model.embedding.register_forward_hook(lambda _m, _a, out: 3000 * out)
    found = Coupling(puzzles=4, segments=1).run(one)
    assert [(f.rule, f.severity) for f in found.findings] == [("coupling.disconnected", "warn")]
    assert "'low' does not answer to 'high'" in found.findings[0].seen


def test_a_schedule_without_a_way_is_found(subject):
    one = subject()
    one.model.schedule = without_high(one.model.schedule)
    found = FEW.run(one)
    assert [f.seen for f in found.findings] == ["the schedule has no way from 'high' to 'low'"]


@pytest.mark.parametrize("name", ["sudoku-4x4", "hrm-sudoku-6x6"])
def test_shipped_models_are_coupled(shipped, name):
    assert FEW.run(shipped(name, 4, 2)).verdict == "ok"


def test_the_model_is_left_as_it_was(subject):
    one = subject()
    before, state = one.model.state_dict(), torch.random.get_rng_state()
    before = {name: value.clone() for name, value in before.items()}
    FEW.run(one)
    assert all(torch.equal(value, before[name]) for name, value in one.model.state_dict().items())
    assert torch.equal(state, torch.random.get_rng_state())
    assert not one.model._forward_hooks and not one.model.networks["low"]._forward_hooks
