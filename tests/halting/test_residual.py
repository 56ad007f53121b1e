"""States at rest, and steps that get shorter where they are not."""

import pytest
import torch
from views import sequence_of, view_of

from hrmlab.core.act import segment
from hrmlab.errors import ConfigError
from hrmlab.halting import DampedResidual, Fixed, Residual


def test_the_residual_is_the_relative_change_of_the_state():
    state, before = torch.tensor([[[3.0, -4.0], [0.0, 0.0]]]), torch.tensor([[[3.0, -3.5], [0.5, 0.0]]])
    view = view_of(torch.tensor([2]), torch.zeros(1, 2), state=state, before=before)
    assert Residual(norm="max").readiness(view).item() == pytest.approx(-0.5 / 4)
    assert Residual(norm="l2").readiness(view).item() == pytest.approx(-(0.5**0.5) / 5)
    assert Residual(tau=0.13).wants_to_halt(view).item() and not Residual(tau=0.12).wants_to_halt(view).item()
    assert Residual().at(-0.3).tau == 0.3


def test_steps_get_shorter_after_as_many_segments_without_a_smaller_residual():
    sizes = torch.tensor([0.5, 0.4, 0.45, 0.42, 0.39, 0.6, 0.6, 0.1])
    after = torch.ones(len(sizes), 1, 1)
    rule = DampedResidual(patience=2, decay=0.5, tau=0.2)
    views = sequence_of(rule, torch.zeros(len(sizes), 2), state=after, before=after - sizes[:, None, None])
    etas = [rule.damping(view).item() for view in views]
    # 0.45 and 0.42 are no better than 0.4: half the steps; 0.39 is; 0.6 and 0.6 are not: half again.
    assert etas == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert [rule.wants_to_halt(view).item() for view in views] == [False] * 7 + [True]


def test_a_damped_state_goes_only_part_of_the_way(make_model, make_spec, make_batch, start):
    spec = make_spec()
    model, batch = make_model(spec), make_batch(spec, 3)
    carry = start(model, batch)
    with torch.no_grad():
        whole, damped = (segment(model, carry, rule) for rule in (Fixed(), DampedResidual(patience=1, decay=0.25)))
        again = segment(model, damped.carry, DampedResidual(patience=1, decay=0.25))
    for level, state in whole.carry.states.items():
        torch.testing.assert_close(damped.carry.states[level], state)  # the first residual is the smallest so far
    tired = again.carry.memory["eta"]
    moved = {level: again.carry.states[level] - damped.carry.states[level] for level in again.carry.states}
    full = {level: again.output.states[level] - damped.carry.states[level] for level in again.carry.states}
    for level, way in moved.items():
        torch.testing.assert_close(way, tired.view(-1, *(1,) * (way.ndim - 1)) * full[level], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("wrong", [{"patience": 0}, {"decay": 0.0}, {"decay": 1.1}])
def test_numbers_that_make_no_sense_are_refused(wrong: dict[str, float]):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        DampedResidual(**wrong)
