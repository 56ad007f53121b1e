"""E-01: numbers that are not finite, planted in weights, activations, gradients and the training's record."""

import math

import torch

from hrmlab.analysis.probes.numerics import Numerics

SMALL = Numerics(puzzles=4)


def test_a_sound_model_is_silent_and_its_sizes_are_those_of_its_numbers(subject):
    one = subject(segments=2)
    found = SMALL.run(one)
    assert found.verdict == "ok"
    largest = max(float(t.abs().amax()) for t in one.model.state_dict().values() if t.is_floating_point())
    assert abs(found.scalars["parameters"] - largest) < 1e-4
    assert {row["what"] for row in found.table} == {"parameters", "activations", "gradients"}


def test_a_weight_that_is_not_finite_is_named(subject):
    one = subject(segments=2)
    with torch.no_grad():
        next(one.model.networks["low"].parameters())[0, 0] = torch.nan
    found = SMALL.run(one)
    assert [finding.rule for finding in found.findings] == ["numerics.nonfinite"]
    assert "parameters" in found.findings[0].seen
    assert "networks.low.blocks.0" in found.findings[0].seen


def test_the_first_address_that_is_not_finite_is_named(subject):
    one, calls = subject(segments=3), []

    def fail(_module, _args, out):
        calls.append(1)
        return out * torch.nan if len(calls) == 6 else out

    one.model.networks["low"].register_forward_hook(fail)  # called four times a segment
    found = SMALL.run(one)
    assert found.findings[0].rule == "numerics.nonfinite"
    assert "activations" in found.findings[0].seen
    assert found.findings[0].seen.endswith("seg1/h0/l1/low.state")


def test_a_gradient_that_is_not_finite_is_named(subject):
    one = subject(segments=2, settings={"training": {"clip": None}})

    def spoil(_module, _args, out):
        if out.requires_grad:
            out.register_hook(lambda gradient: gradient * torch.inf)
        return out

    one.model.networks["high"].register_forward_hook(spoil)
    (finding,) = SMALL.run(one).findings
    assert "gradients" in finding.seen
    assert "high.state" in finding.seen
    assert finding.patch == {"training.clip": 1.0}


def test_a_loss_that_was_not_finite_is_dated(subject):
    metrics = [{"step": 10, "loss": 1.0}, {"step": 20, "loss": math.nan}, {"step": 30, "loss": math.nan}]
    (finding,) = SMALL.run(subject(segments=2, metrics=metrics)).findings
    assert finding.seen.endswith("step 20")


def test_numbers_too_large_for_half_precision_are_found(subject):
    one = subject(segments=2)
    with torch.no_grad():
        one.model.embedding.answer.weight.mul_(1e6)
    findings = SMALL.run(one).findings
    assert {finding.rule for finding in findings} == {"numerics.exploding"}
    assert any("logits" in finding.seen for finding in findings)


def test_a_trained_model_is_silent(shipped):
    assert SMALL.run(shipped("sudoku-4x4", 12, 4)).verdict == "ok"
