"""Dense optimisers by name: AdamW, Adam-atan2, and Muon for the matrices with one of the others for the rest."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import nn

from hrmlab.core.matrices import is_matrix, named_matrices
from hrmlab.registry import Part, Registry
from hrmlab.training.adam_atan2 import AdamAtan2
from hrmlab.training.muon import Muon

OPTIMISERS = Registry("optimiser")
Named = dict[str, nn.Parameter]


class OptimiserConfig(Part, ABC):
    """Base of all optimisers. The learning rate given is the peak; the training loop scales it over time."""

    registry: ClassVar[Registry] = OPTIMISERS
    kind: str

    @abstractmethod
    def build(self, model: nn.Module, parameters: Named) -> list[torch.optim.Optimizer]:
        """Optimisers that together hold exactly the given parameters of the model."""

    def moments(self, parameters: Named) -> int:
        """How many numbers are remembered of these parameters: two of each, unless a kind says otherwise."""
        return 2 * sum(p.numel() for p in parameters.values())


@OPTIMISERS.register(source="Loshchilov and Hutter 2019, arXiv 1711.05101; torch's own")
@dataclass(frozen=True, kw_only=True)
class AdamW(OptimiserConfig):
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"] = "adamw"
    lr: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.1

    def build(self, model: nn.Module, parameters: Named) -> list[torch.optim.Optimizer]:
        return [torch.optim.AdamW(parameters.values(), self.lr, self.betas, weight_decay=self.weight_decay, fused=True)]


@OPTIMISERS.register(source="Everett et al. 2024, arXiv 2407.05872; HRM's optimiser")
@dataclass(frozen=True, kw_only=True)
class AdamAtan2Config(OptimiserConfig):
    """Adam whose update is atan2(m, sqrt(v)): no epsilon, invariant to the scale of the gradient."""

    kind: Literal["adam_atan2"] = "adam_atan2"
    lr: float = 1e-4
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = 0.1

    def build(self, model: nn.Module, parameters: Named) -> list[torch.optim.Optimizer]:
        return [AdamAtan2(list(parameters.values()), self.lr, self.betas, self.weight_decay)]


@OPTIMISERS.register(source="Jordan et al. 2024")
@dataclass(frozen=True, kw_only=True)
class MuonConfig(OptimiserConfig):
    """Orthogonalised momentum for the networks' matrices, another optimiser for everything else."""

    kind: Literal["muon"] = "muon"
    lr: float = 0.02
    momentum: float = 0.95
    weight_decay: float = 0.0
    rest: OptimiserConfig = field(default_factory=AdamW)

    def build(self, model: nn.Module, parameters: Named) -> list[torch.optim.Optimizer]:
        matrices = {name: p for name, p in named_matrices(model) if name in parameters}
        others = {name: p for name, p in parameters.items() if name not in matrices}
        muon = Muon(matrices.values(), lr=self.lr, momentum=self.momentum, weight_decay=self.weight_decay)
        return [muon, *self.rest.build(model, others)]

    def moments(self, parameters: Named) -> int:
        matrices = {name: p for name, p in parameters.items() if is_matrix(name, p)}
        others = {name: p for name, p in parameters.items() if name not in matrices}
        return sum(p.numel() for p in matrices.values()) + self.rest.moments(others)


def build_optimisers(config: OptimiserConfig, model: nn.Module) -> list[torch.optim.Optimizer]:
    """The optimisers of a model's dense parameters that are not frozen; each group remembers its peak rate as
    `peak_lr`."""
    optimisers = config.build(model, {name: p for name, p in model.named_parameters() if p.requires_grad})
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak_lr"] = group["lr"]
    return optimisers
