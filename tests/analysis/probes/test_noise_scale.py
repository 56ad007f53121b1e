"""D-05: signal and noise of vectors worked out by hand, of equal puzzles, and of a batch too small."""

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from hrmlab.analysis.probes.noise_scale import Moments, NoiseScale
from hrmlab.halting import Fixed


def test_two_vectors_by_hand():
    moments = Moments(torch.zeros(2), torch.zeros(2))
    for gradient in ([1.0, 1.0], [3.0, 1.0]):
        moments.add(torch.tensor(gradient))
    assert moments.split() == (4.0, 2.0)  # the mean (2, 1) has 5, of which noise 2 / 2; the variance is 2
    assert moments.gsnr() == 2.0


@given(st.integers(2, 9), st.integers(1, 5), st.integers(0, 100))
def test_noise_is_the_unbiased_variance(count, width, seed):
    gradients = np.random.default_rng(seed).normal(1, 2, (count, width))
    moments = Moments(torch.zeros(width), torch.zeros(width))
    for gradient in gradients:
        moments.add(torch.tensor(gradient, dtype=torch.float32))
    noise = gradients.var(axis=0, ddof=1).sum()
    signal, found = moments.split()
    assert abs(found - noise) < 1e-3 * max(noise, 1)
    assert abs(signal - ((gradients.mean(axis=0) ** 2).sum() - noise / count)) < 1e-3 * max(noise, 1)


def test_equal_puzzles_have_no_noise(subject, puzzles):
    same = puzzles.train.part(np.zeros(5, dtype=int))
    found = NoiseScale().run(subject(train=same, halting=Fixed(max_segments=1)))
    assert abs(found.scalars["noise_scale"]) < 1e-3
    assert all(row["gsnr"] is None or row["gsnr"] > 1e3 for row in found.table)


def test_a_batch_far_below_the_noise_is_found(subject, puzzles):
    rng = np.random.default_rng(0)
    noisy = replace(puzzles.train, labels=rng.permuted(puzzles.train.labels, axis=1))
    one = subject(train=noisy, segments=2, settings={"training": {"batch_size": 2}})
    found = NoiseScale(puzzles=12, factor=0.5).run(one)
    assert [finding.rule for finding in found.findings] == ["noise_scale.under_batched"]
    wanted = found.findings[0].patch["training.batch_size"]
    assert 0.5 < wanted / found.scalars["noise_scale"] < 2


def test_a_single_puzzle_is_not_enough(subject, puzzles):
    assert NoiseScale(puzzles=1).run(subject()).verdict == "n/a"


def test_a_trained_model_is_silent(shipped):
    found = NoiseScale(puzzles=8).run(shipped("sudoku-4x4", 12, 4))
    assert found.verdict == "ok"
    assert found.scalars["batch_size"] == 16
