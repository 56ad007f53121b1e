"""D-13: steps with known Jacobians."""

import math

import pytest
import torch
from planted import NUMBERS, block_matrix, linear, planted

from hrmlab.analysis.probes.jacobian import JacobianSpectrum

C, S = 0.9 * math.cos(1.0), 0.9 * math.sin(1.0)
MATRIX = block_matrix(torch.tensor([[C, -4 * S], [S / 4, C]]), 0.3)
"""Radius 0.9 by a complex pair, norm 3.1, on numbers of its own."""


def test_radius_norm_and_gain_of_a_known_matrix(subject):
    found = JacobianSpectrum(puzzles=4, depths=1, iterations=60, draws=30).run(subject(linear(MATRIX)))
    assert found.verdict == "ok"
    assert found.scalars["segment_radius"] == pytest.approx(0.9, rel=0.02)
    assert found.scalars["segment_norm"] == pytest.approx(float(torch.linalg.matrix_norm(MATRIX, 2)), rel=0.01)
    assert found.scalars["segment_gain"] == pytest.approx(float(MATRIX.norm()) / NUMBERS**0.5, rel=0.1)
    assert {row["map"] for row in found.table} == {"segment"}


def test_a_segment_of_several_updates(subject):
    found = JacobianSpectrum(puzzles=2, depths=1, iterations=60).run(subject(linear(MATRIX, cycles=2)))
    assert found.scalars["segment_radius"] == pytest.approx(0.81, rel=0.03)
    assert found.scalars["state_radius"] == pytest.approx(0.9, rel=0.02)


def test_a_fixed_point_that_repels_is_found(subject):
    one = subject(model := planted(lambda z: z))
    here = model.initial_states()["state"].repeat(16)
    one.model.networks["state"].function = lambda z: here + 1.2 * (z - here)
    found = JacobianSpectrum(puzzles=3, depths=1).run(one)
    assert [finding.rule for finding in found.findings] == ["jacobian.unstable"]
    assert found.findings[0].observed == pytest.approx(1.2, rel=1e-3)


def test_growth_away_from_fixed_points_is_no_finding(subject):
    found = JacobianSpectrum(puzzles=3, depths=1).run(subject(linear(1.2 * torch.eye(NUMBERS)), segments=2))
    assert found.verdict == "ok"
    assert found.scalars["segment_radius"] == pytest.approx(1.2, rel=1e-3)


def test_normalised_levels_and_the_model_left_as_it_was(subject):
    one = subject(segments=2)
    found = JacobianSpectrum(puzzles=2, depths=2, iterations=6, draws=1).run(one)
    assert {row["map"] for row in found.table} == {"segment", "low", "high"}
    assert all(p.grad is None for p in one.model.parameters())


def test_a_network_that_detaches_is_not_measured(subject):
    assert JacobianSpectrum().run(subject(planted(torch.detach))).verdict == "n/a"


def test_a_sound_model_is_silent(shipped):
    assert JacobianSpectrum(puzzles=4, depths=1, iterations=10).run(shipped("sudoku-4x4", n=12)).verdict == "ok"
