"""Gradients summed over processes while the backward pass is still computing others."""

from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from hrmlab.training.ranks import Ranks

Compute = Callable[[], Tensor]


def reduced(model: nn.Module, ranks: Ranks) -> Callable[[Compute], Tensor]:
    """Calls a computation of a loss; where there are several processes, its backward pass sums the gradients of the
    model's parameters over them (Li et al. 2020, arXiv 2006.15704).

    Parameters that no process uses keep no gradient, as they would in one.
    """
    if not ranks.several:
        return lambda compute: compute()
    torch._dynamo.config.optimize_ddp = False  # segments are compiled whole
    joint = DistributedDataParallel(  # no sync at the start: every process draws the same weights from the run's seed
        _Inside(model), find_unused_parameters=True, init_sync=False
    )
    joint.register_comm_hook(None, _sum)
    return joint


class _Inside(nn.Module):
    """What DDP wants to see: a module that has the parameters, no buffers and a forward pass."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.of_the_model = nn.ParameterList(p for p in model.parameters() if p.requires_grad)

    def forward(self, compute: Compute) -> Tensor:
        return compute()


def _sum(state: None, bucket: dist.GradBucket) -> torch.futures.Future[torch.Tensor]:  # type: ignore[name-defined]
    """In place of DDP's mean: losses are divided by the slots of all processes already."""
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    assert work is not None
    done: torch.futures.Future[torch.Tensor] = work.get_future().then(lambda done: done.value()[0])
    return done
