"""Tensors of which each process has a part (torch's DTensor), and what is done with the parts."""

from typing import TYPE_CHECKING, TypeGuard

from torch import Tensor, nn

if TYPE_CHECKING:
    from torch.distributed.tensor import DTensor


def shared(tensor: Tensor) -> TypeGuard["DTensor"]:
    """Whether this process has but a part of it."""
    if type(tensor) in (Tensor, nn.Parameter):
        return False  # before a second's import
    from torch.distributed.tensor import DTensor

    return isinstance(tensor, DTensor)


def own(tensor: Tensor) -> Tensor:
    """This process's part, in the same memory; the tensor itself where it is not shared."""
    return tensor.to_local() if shared(tensor) else tensor


def whole(tensor: Tensor) -> Tensor:
    """All parts together, of the tensor's shape; every process must ask for it at once."""
    return tensor.full_tensor().detach() if shared(tensor) else tensor


def part(tensor: Tensor, like: Tensor) -> Tensor:
    """Of a whole tensor what this process has of `like`, shared as that is, in memory of its own.

    The tensor itself where `like` is not shared or has another shape. Nothing is sent: every process has the whole.
    """
    if not shared(like) or tensor.shape != like.shape:
        return tensor
    from torch.distributed.tensor import distribute_tensor

    here = tensor.detach().to(like.device)
    return distribute_tensor(here, like.device_mesh, like.placements, src_data_rank=None).clone()
