"""Muon's own arithmetic: singular values to about one, and the same update as torch's."""

import pytest
import torch

from hrmlab.training.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(8, 8), (4, 12), (12, 4)])
def test_singular_values_become_about_one_and_singular_vectors_stay(shape: tuple[int, int]):
    matrices = torch.randn(3, *shape)
    out = orthogonalise(matrices, iterations=8)
    values = torch.linalg.svdvals(out)
    assert values.min() > 0.6 and values.max() < 1.3
    u, _, vh = torch.linalg.svd(matrices, full_matrices=False)
    inner = u.mT @ out @ vh.mT
    torch.testing.assert_close(inner, torch.diag_embed(inner.diagonal(dim1=1, dim2=2)), atol=1e-3, rtol=0)


def test_each_matrix_is_treated_by_itself_whatever_its_scale():
    matrices = torch.randn(3, 5, 7) * torch.tensor([1e-4, 1.0, 1e4])[:, None, None]
    together = orthogonalise(matrices)
    for one, alone in zip(matrices, together, strict=True):
        torch.testing.assert_close(orthogonalise(one[None])[0], alone, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(orthogonalise(one[None] * 8)[0], alone, atol=1e-4, rtol=1e-4)


def test_a_gradient_of_zero_gives_a_direction_of_zero():
    assert torch.equal(orthogonalise(torch.zeros(1, 3, 4)), torch.zeros(1, 3, 4))


@pytest.mark.parametrize("shape", [(6, 6), (12, 4), (4, 12)])
def test_steps_equal_torchs_to_its_bfloat16(shape: tuple[int, int]):
    ours, theirs = (torch.nn.Parameter(torch.linspace(-1, 1, shape[0] * shape[1]).view(shape)) for _ in range(2))
    start = ours.detach().clone()
    settings = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.2}
    mine, torchs = Muon([ours], **settings), torch.optim.Muon([theirs], **settings)
    for _ in range(3):
        ours.grad = torch.randn(shape)
        theirs.grad = ours.grad.clone()
        mine.step()
        torchs.step()
    moved = (theirs - start).detach().norm()
    assert (ours - theirs).detach().norm() < 0.03 * moved


def test_matrices_of_one_shape_move_together_as_each_would_alone():
    torch.manual_seed(1)
    starts, grads = torch.randn(3, 4, 6), torch.randn(2, 3, 4, 6)

    def run(which: list[int]) -> list[torch.Tensor]:
        params = [torch.nn.Parameter(starts[i].clone()) for i in which]
        optimiser = Muon(params)
        for step in grads:
            for p, i in zip(params, which, strict=True):
                p.grad = step[i].clone()
            optimiser.step()
        return [p.detach() for p in params]

    for together, alone in zip(run([0, 1, 2]), [run([i])[0] for i in range(3)], strict=True):
        torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)
