"""Weights spread over the processes: each keeps a part of every tensor, of its gradient, its moments and its average.

By torch's `fully_shard` (FSDP2; Rajbhandari et al. 2020, arXiv 1910.02054; Zhao et al. 2023, arXiv 2304.11277). Every
block is a unit, all else another. A network is called many times in a step, by rows with gradient and without, so that
its weights are gathered when it is first called and stay until the backward pass has ended: each travels once a step.
"""

import copy
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard, register_fsdp_forward_method

from hrmlab.core.model import HRM
from hrmlab.errors import ConfigError
from hrmlab.training.config import RunConfig
from hrmlab.training.parts import whole
from hrmlab.training.ranks import Ranks

T = TypeVar("T")


class Sharded:
    """A model whose weights are in parts from now on; called with a computation of a loss, which uses whole ones.

    The backward pass of that loss sums gradients over the processes, each keeping those of its parts.

    Attributes:
        shell: the model without what gathers its weights: the same parts, in modules that can be copied.

    Raises:
        ConfigError: the engine joins operations.
    """

    def __init__(self, config: RunConfig, model: HRM, ranks: Ranks) -> None:
        if (engine := config.training.engine) in ("compiled", "captured"):
            raise ConfigError(
                f"training.engine={engine} came with training.shard_weights=true, which gathers weights between "
                "operations; wanted eager, reference or auto"
            )
        self.shell = copied(model, lambda tensor: tensor)
        mesh = init_device_mesh(model.initial.device.type, (ranks.count,))
        self._root = _Inside(model)
        table = model.puzzles
        rows = table.rows if table is not None and table.mapped else None
        if table is not None and rows is not None:
            table.rows = rows[:0]  # a table in a file stays where it is
        for network in model.networks.values():
            for block in network.get_submodule("blocks").children():
                fully_shard(block, mesh=mesh, reshard_after_forward=False)
                if hasattr(block, "leading"):
                    register_fsdp_forward_method(block, "leading")
        fully_shard(self._root, mesh=mesh, reshard_after_forward=False)
        if table is not None and rows is not None:
            table.rows = rows
        for unit in self._units():
            unit.set_reshard_after_backward(False, recurse=False)
            unit.set_force_sum_reduction_for_comms(True)
            unit.set_gradient_divide_factor(1.0)  # losses are divided by the slots of all processes already
        for mine, theirs in zip(self.shell.modules(), model.modules(), strict=True):
            mine._parameters.update(theirs._parameters)

    def __call__(self, compute: Callable[[], Tensor]) -> Tensor:
        loss: Tensor = self._root(compute)
        return loss

    def release(self) -> None:
        """Give the whole weights up, after the backward pass."""
        for unit in self._units():
            unit.reshard()

    @torch.no_grad()
    def aside(self, compute: Callable[[], T]) -> T:
        """What a computation without gradient finds, with whole weights."""
        found: T = self._root(compute)
        self.release()
        return found

    @staticmethod
    def gathered(model: HRM) -> HRM:
        """A copy with whole weights, which asks nobody any more; every process must ask for it at once."""
        return copied(model, whole)

    def _units(self) -> Iterator[FSDPModule]:
        yield from (module for module in self._root.modules() if isinstance(module, FSDPModule))


def copied(model: HRM, change: Callable[[Tensor], Tensor]) -> HRM:
    """A copy of a model with its parameters changed, and the same buffers."""
    memo: dict[int, object] = {id(buffer): buffer for buffer in model.buffers()}
    for parameter in model.parameters():
        new = change(parameter)
        memo[id(parameter)] = new if new is parameter else nn.Parameter(new, requires_grad=parameter.requires_grad)
    return copy.deepcopy(model, memo)


class _Inside(nn.Module):
    """Where weights are whole: the model, called with a computation."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, compute: Callable[[], T]) -> T:
        return compute()
