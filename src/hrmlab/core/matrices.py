"""Which weights of a model are matrices of its recurrence: what matrix optimisers such as Muon are for."""

from collections.abc import Iterator

from torch import Tensor, nn


def named_matrices(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """The two-dimensional weights inside the networks: what matrix optimisers such as Muon are for."""
    yield from ((name, p) for name, p in model.named_parameters() if is_matrix(name, p))


def is_matrix(name: str, parameter: Tensor) -> bool:
    """Whether a parameter of a model is a matrix of its recurrence."""
    return name.startswith(("networks.", "joints.")) and parameter.ndim == 2
