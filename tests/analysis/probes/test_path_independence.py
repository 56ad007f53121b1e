"""D-16: maps that forget where they began, and one that never does."""

import pytest
import torch
from planted import NUMBERS, answers, linear, planted

from hrmlab.analysis.probes.path_independence import PathIndependence, noisy_beginning
from hrmlab.halting import QLearning


def test_a_contraction_forgets_its_beginning(subject):
    goal = torch.randn(NUMBERS, generator=torch.Generator().manual_seed(0))
    found = PathIndependence().run(subject(planted(lambda z: goal + 0.1 * (z - goal)), segments=8))
    assert found.scalars["noise_alignment"] == pytest.approx(1, abs=1e-4)
    assert found.scalars["swap_agreement"] == 1
    assert found.verdict == "ok"


def test_a_model_that_keeps_its_beginning_is_found(subject):
    model = linear(torch.eye(NUMBERS))
    start = model.initial_states()["state"]

    def from_the_usual_start(_batch, states, _number):
        return (states["state"] - start).abs().flatten(1).amax(1) < 1e-6

    model = answers(model, from_the_usual_start)
    restarts = QLearning(max_segments=4, restart_every=2)
    found = PathIndependence().run(subject(model, evaluation=restarts))
    assert PathIndependence().run(subject(model)).verdict == "ok"  # nothing begins from noise there
    assert [finding.rule for finding in found.findings] == ["path_independence.dependent"]
    assert found.findings[0].patch == {"evaluation.restart_every": None}
    size = float(start.square().mean().sqrt())
    assert found.scalars["noise_alignment"] == pytest.approx(size / (size**2 + 1) ** 0.5, abs=0.1)
    assert found.scalars["swap_alignment"] == pytest.approx(1)  # all puzzles end alike there
    assert found.scalars["right"] == 1
    assert found.scalars["noise_right"] == 0


def test_noise_is_that_of_restarts_and_repeatable(subject):
    one = subject()
    first, second = (noisy_beginning(one.model, one.batch, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(first[level], second[level]) for level in first)
    noise = first["low"] - one.model.initial_states()["low"]
    assert float(noise.std()) == pytest.approx(1, rel=0.05)
    assert float(noise.mean()) == pytest.approx(0, abs=0.05)


def test_a_sound_model_is_silent(shipped):
    assert PathIndependence(puzzles=8).run(shipped("sudoku-4x4", n=12)).verdict == "ok"
