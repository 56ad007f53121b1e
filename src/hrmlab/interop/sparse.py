"""The reference's sparse puzzle embedding and its optimiser, with their batch-sized buffers."""

from collections.abc import Callable, Iterable
from typing import Any, Self

import torch
import torch.distributed as dist
from torch import Tensor, nn

from hrmlab.errors import DataError
from hrmlab.kernels import sign_sgd
from hrmlab.layers import truncated_normal_


class CastedSparseEmbedding(nn.Module):
    """A table of rows; in training it hands out a copy, `local_weights`, that receives the gradient.

    Fewer rows than `batch_size` may be looked up (the reference cannot); more raise DataError.
    """

    weights: Tensor
    local_weights: Tensor
    local_ids: Tensor

    def __init__(
        self, num_embeddings: int, embedding_dim: int, batch_size: int, init_std: float, cast_to: torch.dtype
    ) -> None:
        super().__init__()
        self.cast_to = cast_to
        rows = truncated_normal_(torch.empty(num_embeddings, embedding_dim), init_std)
        self.register_buffer("weights", rows)
        local = torch.zeros(batch_size, embedding_dim, requires_grad=True)
        self.register_buffer("local_weights", local, persistent=False)
        self.register_buffer("local_ids", torch.zeros(batch_size, dtype=torch.int32), persistent=False)

    def vectors(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """Rows are whole vectors here."""
        return rows

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """A moved or cast copy must be a leaf again, or it would receive no gradient."""
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        if not self.local_weights.is_leaf:
            self.local_weights = self.local_weights.detach().requires_grad_()
        return self

    @property
    def rows(self) -> Tensor:
        """The table, as `hrmlab.embeddings.PuzzleTable` calls it."""
        return self.weights

    def forward(self, inputs: Tensor) -> Tensor:
        """(B,) -> (B, embedding_dim)."""
        if not self.training:
            return self.weights[inputs].to(self.cast_to)
        count, most = len(inputs), len(self.local_ids)
        if count > most:
            raise DataError(f"a batch of {count} came to a puzzle embedding made for batch_size={most}")
        with torch.no_grad():
            self.local_weights[:count].copy_(self.weights[inputs])
            self.local_ids.fill_(
                inputs[0].to(self.local_ids.dtype)
            )  # rows without gradient: they add nothing to its sum
            self.local_ids[:count].copy_(inputs)
        return self.local_weights[:count].to(self.cast_to)


class CastedSparseEmbeddingSignSGD_Distributed(torch.optim.Optimizer):
    """SignSGD with decoupled weight decay on the rows that the batch, over all processes, looked up.

    Args:
        params: the three buffers of a `CastedSparseEmbedding`, in any order.
    """

    def __init__(self, params: Iterable[Tensor], world_size: int, lr: float = 1e-3, weight_decay: float = 1e-2) -> None:
        if lr < 0 or weight_decay < 0:
            raise ValueError(f"lr={lr} and weight_decay={weight_decay} came; wanted 0 or more")
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "world_size": world_size})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            weights, local, ids = _sorted_out(group["params"])
            if local.grad is None:
                continue
            gradients = local.grad
            if group["world_size"] > 1:
                ids, gradients = _gathered(ids, group["world_size"]), _gathered(gradients, group["world_size"])
            sign_sgd(weights, ids, gradients, group["lr"], group["weight_decay"])


def _sorted_out(buffers: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """The table, the looked-up copy and the ids."""
    if len(buffers) != 3:
        raise ValueError(f"{len(buffers)} tensors came; wanted the three buffers of a CastedSparseEmbedding")
    local = next(buffer for buffer in buffers if buffer.requires_grad)
    ids = next(buffer for buffer in buffers if buffer.ndim == 1)
    weights = next(buffer for buffer in buffers if buffer is not local and buffer is not ids)
    return weights, local, ids


def _gathered(tensor: Tensor, processes: int) -> Tensor:
    """The rows of all processes, one after the other."""
    everything = tensor.new_empty(processes * len(tensor), *tensor.shape[1:])
    dist.all_gather_into_tensor(everything, tensor.contiguous())
    return everything
