"""The halting head. (The answer head belongs to the embedding, which knows what a state stands for.)"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from hrmlab.layers import Linear
from hrmlab.registry import Strict


@dataclass(frozen=True, kw_only=True)
class HaltingHeadConfig(Strict):
    """Where the halting values are read.

    readout: "first" position of the answer level (HRM: the puzzle's slot); the "mean" over all of them; their average
        by learned "attention", which can look for the one cell that is undecided; or the mean of the embedded "input",
        the same at every segment, for policies that foretell the depth.
    bias: initial value of both logits; -5 starts from "never right, never worth going on". Policies with exit
        probabilities want more: see theirs.
    """

    readout: Literal["first", "mean", "attention", "input"] = "first"
    bias: float = -5.0


class HaltingHead(nn.Module):
    """Two logits, halt and continue, linear in the answer level's state; starts at the bias alone."""

    def __init__(self, width: int, config: HaltingHeadConfig) -> None:
        super().__init__()
        self.readout = config.readout
        self.linear = Linear(width, 2, bias=True, std=0.0)
        self.query = Linear(width, 1, std=0.0) if config.readout == "attention" else None
        assert self.linear.bias is not None
        nn.init.constant_(self.linear.bias, config.bias)

    def forward(self, state: Tensor) -> Tensor:
        """(B, N, W) or (B, N, S, W) -> (B, 2) in float32."""
        positions = state.flatten(1, -2)
        if self.readout == "first":
            read = positions[:, 0]
        elif self.query is not None:
            weights = self.query(positions).float().softmax(dim=1)
            read = (weights * positions.float()).sum(dim=1)
        else:
            read = positions.mean(dim=1).to(torch.float32)
        values: Tensor = self.linear(read)
        return values.float()
