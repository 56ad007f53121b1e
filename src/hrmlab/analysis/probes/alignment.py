"""Centered kernel alignment without the bias of few rows: how alike two sets of vectors are, whatever their axes."""

import torch
from torch import Tensor


def similarities(sets: list[Tensor]) -> Tensor:
    """Debiased linear CKA of every pair of sets, (M, M); NaN for a set whose vectors are all alike.

    CKA = HSIC(X, Y) / sqrt(HSIC(X, X) HSIC(Y, Y)) (Kornblith et al. 2019, arXiv 1905.00414), with the unbiased HSIC of
    Song et al. 2012, which is about 0 for independent sets however few the rows, and may be below.

    Args:
        sets: each (n, width), row by row about the same things; widths may differ; n of 4 or more.
    """
    flat = torch.stack([u_centred(x).flatten() for x in sets])
    products = flat @ flat.T
    own = products.diagonal()
    own = torch.where(own > 0, own, torch.nan)
    return products / (own[:, None] * own).sqrt()


def u_centred(x: Tensor) -> Tensor:
    """The kernel matrix of rows, (n, width) -> (n, n) float64, centred so that HSIC(X, Y) = <X, Y> / (n (n - 3)).

    Scaled to unit variance first, which alignment does not see.
    """
    n = len(x)
    x = x.double() - x.double().mean(0)
    x = x / x.square().sum().clamp_min(1e-24).sqrt()
    kernel = x @ x.T
    kernel.fill_diagonal_(0.0)
    sums = kernel.sum(1) / (n - 2)
    centred = kernel - sums[:, None] - sums + kernel.sum() / ((n - 1) * (n - 2))
    return centred.fill_diagonal_(0.0)
