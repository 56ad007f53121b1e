"""Optimisers of the sparse puzzle table: only the rows that a step looked up are read or written."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from hrmlab.kernels import sign_sgd
from hrmlab.registry import Part, Registry

ROW_OPTIMISERS = Registry("row_optimiser")


class RowOptimiser(ABC):
    """Base of all: bound to a table, (rows, numbers), which it changes in place."""

    @abstractmethod
    def step(self, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
        """Learn from gradients, (B, numbers), of the rows `ids`, (B,). Those of equal ids are summed."""

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps: tensors, numbers and names."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave."""
        assert not state, "a state came for an optimiser that remembers nothing"

    @staticmethod
    def each_row(state: dict[str, Any], change: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        """A state whose tensors with a row for each of the table are changed."""
        return state


class RowOptimiserConfig(Part, ABC):
    """Base of all kinds. The rate is `training.puzzle_lr`, the decay (decoupled) `training.puzzle_weight_decay`."""

    registry: ClassVar[Registry] = ROW_OPTIMISERS
    kind: str

    @abstractmethod
    def build(self, rows: Tensor) -> RowOptimiser:
        """The optimiser of that table."""

    def moments(self, rows: Tensor) -> int:
        """How many numbers are remembered of a table."""
        return 0


@ROW_OPTIMISERS.register(source="Wang et al. 2025, arXiv 2506.21734; HRM's own")
@dataclass(frozen=True, kw_only=True)
class SignSGD(RowOptimiserConfig):
    """The sign of the summed gradient; remembers nothing."""

    kind: Literal["sign_sgd"] = "sign_sgd"

    def build(self, rows: Tensor) -> RowOptimiser:
        return _SignSGD(rows)


@ROW_OPTIMISERS.register(source="Duchi et al. 2011, one sum a row as in Naumov et al. 2019, arXiv 1906.00091")
@dataclass(frozen=True, kw_only=True)
class AdaGradRow(RowOptimiserConfig):
    """AdaGrad with one number a row: the sum of its mean squared gradients."""

    kind: Literal["adagrad_row"] = "adagrad_row"
    eps: float = 1e-8

    def build(self, rows: Tensor) -> RowOptimiser:
        return _AdaGradRow(rows, self.eps)

    def moments(self, rows: Tensor) -> int:
        return len(rows)


@ROW_OPTIMISERS.register(source="Kingma and Ba 2015, arXiv 1412.6980; torch's SparseAdam")
@dataclass(frozen=True, kw_only=True)
class SparseAdam(RowOptimiserConfig):
    """Adam whose moments move only where a row is looked up; two numbers for each of the table."""

    kind: Literal["sparse_adam"] = "sparse_adam"
    betas: tuple[float, float] = (0.9, 0.999)

    def build(self, rows: Tensor) -> RowOptimiser:
        return _SparseAdam(rows, self.betas)

    def moments(self, rows: Tensor) -> int:
        return 2 * rows.numel()


class _SignSGD(RowOptimiser):
    def __init__(self, rows: Tensor) -> None:
        self.rows = rows

    def step(self, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
        sign_sgd(self.rows, ids, gradients, lr, weight_decay)


class _AdaGradRow(RowOptimiser):
    def __init__(self, rows: Tensor, eps: float) -> None:
        self.rows, self.eps = rows, eps
        self.squares = rows.new_zeros(len(rows))

    @torch.no_grad()
    def step(self, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
        distinct, where = torch.unique(ids, return_inverse=True)
        total = gradients.new_zeros(len(distinct), gradients.shape[-1]).index_add_(0, where, gradients)
        squares = self.squares[distinct] + total.square().mean(-1)
        self.squares[distinct] = squares
        step = lr * total / (squares.sqrt() + self.eps)[:, None]
        self.rows[distinct] = self.rows[distinct] * (1 - lr * weight_decay) - step

    def state(self) -> dict[str, Any]:
        return {"squares": self.squares}

    def restore(self, state: dict[str, Any]) -> None:
        self.squares.copy_(state["squares"])

    @staticmethod
    def each_row(state: dict[str, Any], change: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        return {name: change(tensor) for name, tensor in state.items()}


class _SparseAdam(RowOptimiser):
    def __init__(self, rows: Tensor, betas: tuple[float, float]) -> None:
        self.rows = nn.Parameter(rows)  # the same memory
        self.adam = torch.optim.SparseAdam([self.rows], betas=betas)

    @torch.no_grad()
    def step(self, ids: Tensor, gradients: Tensor, lr: float, weight_decay: float) -> None:
        distinct = torch.unique(ids)
        self.rows[distinct] = self.rows[distinct] * (1 - lr * weight_decay)
        self.rows.grad = torch.sparse_coo_tensor(
            ids[None], gradients.to(self.rows.dtype), self.rows.shape, check_invariants=False
        )
        self.adam.param_groups[0]["lr"] = lr
        if lr > 0:
            self.adam.step()  # type: ignore[no-untyped-call]

    def state(self) -> dict[str, Any]:
        return self.adam.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        self.adam.load_state_dict(state)

    @staticmethod
    def each_row(state: dict[str, Any], change: Callable[[Tensor], Tensor]) -> dict[str, Any]:
        moments = {
            number: {name: change(value) if name.startswith("exp_avg") else value for name, value in of.items()}
            for number, of in state["state"].items()
        }
        return state | {"state": moments}
