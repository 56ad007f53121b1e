"""What a change inside a run does to its answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hrmlab.analysis.tracing import Address, hooks, unroll
from hrmlab.analysis.tracing.hooks import Hook, Hooks
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.losses import IGNORE


@dataclass(frozen=True)
class Ending:
    """A run's segments from `first` on.

    logits: (T, n, N, V). states: those that each segment began from, and at the end those after the last.
    """

    logits: Tensor
    states: list[States]


@torch.no_grad()
def ending(
    model: HRM, batch: Batch, segments: int, *, first: int = 0, states: States | None = None, forward: Hooks = ()
) -> Ending:
    """Run the segments `first` to `segments` - 1 under hooks, from given states or the initial ones."""
    passed = [model.empty_carry(batch).states if states is None else states]
    logits = []
    with hooks(model, forward=forward, segments=segments, first=first):
        for output in unroll(model, batch, segments - first, states=passed[0]):
            logits.append(output.logits.float())
            passed.append(output.states)
    return Ending(torch.stack(logits), passed)


def cell_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the scored cells in nats: (..., n, N, V), (n, N) -> (..., n)."""
    scored = labels != IGNORE
    wanted = labels.clamp_min(0).expand(logits.shape[:-1])[..., None]
    loss = -logits.log_softmax(-1).gather(-1, wanted).squeeze(-1)
    return (loss * scored).sum(-1) / scored.sum(-1).clamp_min(1)


def exact(logits: Tensor, labels: Tensor) -> Tensor:
    """Whether every scored cell is right: (..., n, N, V), (n, N) -> (..., n)."""
    found: Tensor = ((logits.argmax(-1) == labels) | (labels == IGNORE)).all(-1)
    return found


def skipped(prefix: str, block: str) -> Sequence[tuple[str, Hook]]:
    """Hooks that give a block's input as its output. prefix: `seg3/` or empty. block: `low.2`."""
    came: dict[int, Tensor] = {}

    def keep(tensor: Tensor, /, *, at: Address) -> None:
        came[at.row] = tensor

    def give(tensor: Tensor, /, *, at: Address) -> Tensor:
        return came[at.row]

    return [(f"{prefix}{block}.in", keep), (f"{prefix}{block}.out", give)]


def like(tensor: Tensor, generator: torch.Generator) -> Tensor:
    """A random direction at every position, as long as the tensor's own vector there."""
    drawn = torch.randn(tensor.shape, generator=generator).to(tensor)
    direction: Tensor = drawn / drawn.norm(dim=-1, keepdim=True).clamp_min(1e-12) * tensor.norm(dim=-1, keepdim=True)
    return direction
