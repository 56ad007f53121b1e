"""Steps are the model's own, and parts fit together again."""

import torch

from hrmlab.analysis.probes.steps import joined, moments, parted, segment_step, states_after, tangent_to
from hrmlab.core.schedules import Levels


def test_the_walk_is_the_models(subject):
    one = subject(schedule=Levels(periods=(2, 2, 2)))
    batch = one.some(3)
    states = states_after(one.model, batch, 1)[-1]
    after = dict(states)
    for moment in moments(one.model, batch, states):
        level = moment.update.target
        after[level] = moment.step(moment.x.flatten(1)).reshape(moment.x.shape)
        assert torch.equal(after[level], moment.of_state(moment.states[level].flatten(1)).reshape(moment.x.shape))
    wanted = states_after(one.model, batch, 1, states)[-1]
    assert all(torch.equal(after[level], wanted[level]) for level in wanted)
    torch.testing.assert_close(segment_step(one.model, batch, states)(joined(states)), joined(wanted))


def test_parting_undoes_joining(subject):
    one = subject()
    states = states_after(one.model, one.batch, 1)[-1]
    again = parted(joined(states), states)
    assert all(torch.equal(again[level], state) for level, state in states.items())


def test_directions_along_normalised_states_are_taken_out():
    along = torch.tensor([[[3.0, 4.0], [0.0, 5.0]]])
    states = {"ball": along, "free": along * torch.tensor([1.0, 2.0])[:, None]}
    flat = tangent_to(states)(joined({"ball": along + torch.tensor([4.0, -3.0]), "free": along}))
    parts = parted(flat, states)
    torch.testing.assert_close(parts["ball"], torch.tensor([[[4.0, -3.0], [4.0, 0.0]]]))
    assert torch.equal(parts["free"], along)
