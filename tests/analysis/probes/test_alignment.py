"""Debiased CKA: identical, turned, independent sets; and the unbiased HSIC by its published formula."""

import pytest
import torch

from hrmlab.analysis.probes.alignment import similarities, u_centred


def test_turning_and_scaling_do_not_show():
    x = torch.randn(30, 12)
    turn = torch.linalg.qr(torch.randn(12, 12))[0]
    assert similarities([x, 3 * x @ turn + 5])[0, 1] == pytest.approx(1.0, abs=1e-5)


def test_independent_sets_are_at_zero_where_the_plain_estimate_is_high():
    found, plain = [], []
    for _ in range(30):
        x, y = torch.randn(40, 100), torch.randn(40, 100)
        found.append(float(similarities([x, y])[0, 1]))
        x, y = x - x.mean(0), y - y.mean(0)
        plain.append(float((x.T @ y).norm() ** 2 / ((x.T @ x).norm() * (y.T @ y).norm())))
    assert abs(sum(found) / 30) < 0.02
    assert sum(plain) / 30 > 0.6


def test_a_set_shared_in_half_is_in_between():
    x, y = torch.randn(400, 8), torch.randn(400, 8)
    assert float(similarities([x, torch.cat((x, y), 1)])[0, 1]) == pytest.approx(0.5**0.5, abs=0.05)


def test_hsic_is_that_of_song_et_al():
    x, y = torch.randn(9, 4, dtype=torch.float64), torch.randn(9, 3, dtype=torch.float64)
    n = 9
    kernels = []
    for z in (x, y):
        z = z - z.mean(0)
        z = z / z.square().sum().sqrt()
        kernels.append((z @ z.T).fill_diagonal_(0))
    k, m = kernels
    one = torch.ones(n, dtype=torch.float64)
    wanted = (
        (k @ m).trace() + (one @ k @ one) * (one @ m @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ k @ m @ one)
    )
    assert float((u_centred(x) * u_centred(y)).sum()) == pytest.approx(float(wanted))


def test_a_constant_set_is_not_a_number():
    assert torch.isnan(similarities([torch.ones(8, 3), torch.randn(8, 3)])[0, 1])
