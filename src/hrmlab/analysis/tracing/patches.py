"""What to put in an activation's place: hooks for `tracing.hooks`, and the functions behind them."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from hrmlab.analysis.tracing.address import Address
from hrmlab.analysis.tracing.hooks import Hook
from hrmlab.analysis.tracing.trace import Trace
from hrmlab.errors import ConfigError, unknown

Way = Callable[[Tensor, torch.Generator], Tensor]
"""Makes a replacement, (B, N, ...) -> (B, N, ...)."""


def _mean(tensor: Tensor, generator: torch.Generator) -> Tensor:
    return tensor.mean(0, keepdim=True).expand_as(tensor)


def _swap(tensor: Tensor, generator: torch.Generator) -> Tensor:
    return tensor.roll(1, 0)


def _resample(tensor: Tensor, generator: torch.Generator) -> Tensor:
    rows, places = tensor.shape[:2]
    drawn = torch.randint(rows, (rows, places), generator=generator).to(tensor.device)
    return tensor[drawn, torch.arange(places, device=tensor.device)]


def _noise(tensor: Tensor, generator: torch.Generator) -> Tensor:
    drawn = torch.randn(tensor.shape, generator=generator).to(tensor)
    noisy: Tensor = tensor + drawn / drawn.norm(dim=-1, keepdim=True) * tensor.norm(dim=-1, keepdim=True)
    return noisy


WAYS: Mapping[str, Way] = {
    "zero": lambda tensor, _: torch.zeros_like(tensor),
    "mean": _mean,
    "swap": _swap,
    "resample": _resample,
    "noise": _noise,
}
"""Put in a tensor's place: nothing, the mean over puzzles, the next puzzle's, each position's from a random puzzle, or
the tensor with noise as long as itself."""


def replaced(way: str, seed: int = 0) -> Hook:
    """A hook that puts one of `WAYS` in place of what passes.

    Raises:
        ConfigError: no such way.
    """
    if way not in WAYS:
        raise ConfigError(unknown("way to replace a tensor", way, WAYS))
    make, generator = WAYS[way], torch.Generator().manual_seed(seed)

    def replace(tensor: Tensor, /, *, at: Address) -> Tensor:
        return make(tensor, generator)

    return replace


def recorded(trace: Trace, shift: int = 0) -> Hook:
    """A hook that puts back what a raw trace of the same puzzles holds, `shift` segments away (time-shift patching).

    With 0, a run is steered back to the recorded one; with -1, a level is given what it had a segment before.

    Raises:
        ConfigError: when it is called, at an address that the trace lacks.
    """

    def replace(tensor: Tensor, /, *, at: Address) -> Tensor:
        wanted = Address(at.segment + shift, at.row, at.counts, at.site)
        if wanted not in trace:
            raise ConfigError(f"the trace holds no {wanted}; record it with reduce=None")
        return trace[wanted].to(tensor)

    return replace


def frozen() -> Hook:
    """A hook that holds each site at what first passed there, for the rest of the run."""
    held: dict[str, Tensor] = {}

    def replace(tensor: Tensor, /, *, at: Address) -> Tensor:
        return held.setdefault(at.site, tensor)

    return replace


def without_head(head: int, heads: int) -> Hook:
    """A hook for `attn.heads` that silences one head of so many."""

    def silence(tensor: Tensor, /, *, at: Address) -> Tensor:
        parts = tensor.unflatten(-1, (heads, -1)).clone()  # type: ignore[no-untyped-call]
        parts[..., head, :] = 0
        silenced: Tensor = parts.flatten(-2)
        return silenced

    return silence
