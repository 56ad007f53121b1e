"""Gradients by group against torch's own; steps and signs by hand."""

import torch

from hrmlab.analysis.probes.maths import gradients
from hrmlab.analysis.probes.maths.slots import fresh_slots
from hrmlab.analysis.probes.subject import groups_of


def test_groups_hold_what_backward_leaves(subject):
    one = subject()
    slots = fresh_slots(one, one.some(4))
    found = gradients.training_gradient(one, slots)
    _, goal = gradients.learn(one, one.model, slots)
    (goal.total / 4).backward()
    for group, held in groups_of(one.model).items():
        wanted = torch.cat([torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten() for p in held])
        assert torch.allclose(found[group], wanted, atol=1e-6)


def test_a_step_has_its_length_and_its_direction(subject):
    one = subject()
    found = gradients.training_gradient(one, fresh_slots(one, one.some(4)))
    moved = gradients.stepped(one.model, found, 0.01)
    change = torch.cat([
        (b - a).detach().flatten()
        for held, other in zip(groups_of(one.model).values(), groups_of(moved).values(), strict=True)
        for a, b in zip(held, other, strict=True)
    ])  # fmt: skip
    size = float(torch.cat([p.detach().flatten() for p in one.model.parameters()]).norm())
    assert abs(float(change.norm()) / size - 0.01) < 1e-4
    assert gradients.cosine(change, gradients.flat(found)) < -0.999


def test_no_gradient_is_no_step(subject):
    one = subject()
    zero = {group: torch.zeros(sum(p.numel() for p in held)) for group, held in groups_of(one.model).items()}
    assert gradients.stepped(one.model, zero, 0.01) is None
    assert gradients.cosine(torch.zeros(2), torch.ones(2)) is None


def test_signs_are_counted_where_something_is_not_zero():
    a, b = torch.tensor([1.0, -2.0, 0.0, 3.0, 5.0]), torch.tensor([2.0, 1.0, 0.0, 0.0, 5.0])
    assert gradients.sign_agreement(a, b) == 0.5
    assert gradients.sign_agreement(torch.zeros(2), torch.zeros(2)) is None


def test_outputs_without_a_graph_give_zeros():
    x = torch.ones(2, requires_grad=True)
    assert gradients.pulled([torch.ones(3)], [x])[0].tolist() == [0, 0]
