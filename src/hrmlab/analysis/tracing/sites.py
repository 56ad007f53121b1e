"""Which activations a model has, found by running one puzzle through it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeGuard

import torch
from torch import Tensor, nn

from hrmlab.analysis.tracing.address import Address
from hrmlab.attention.base import Context
from hrmlab.attention.linear import KernelAttention
from hrmlab.attention.sdpa import SelfAttention
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import Network

SHORT = {"attention": "attn"}
"""How modules are called in addresses, where not by their attribute's name."""


@dataclass(frozen=True)
class Site:
    """A place in a model. shape: for one puzzle, without the batch. calls: how often a segment passes it."""

    name: str
    shape: tuple[int, ...]
    calls: int


@dataclass(frozen=True)
class Point:
    """Where a site is watched.

    module: whose call. side: its "in"put or "out"put. derived: computed from what passes rather than passing itself,
    so that it can be read but not replaced ("pattern", "q", "k", "v").
    """

    site: str
    module: nn.Module
    side: str
    derived: str = ""


def points(network: Network) -> Iterator[Point]:
    """All places in a network, by their names after the level's: `sum`, `state`, `2.in`, `2.attn.qkv.out`, ..."""
    yield Point("sum", network, "in")
    for number, block in enumerate(network.blocks):
        yield from _places(str(number), block)
    if network.finish is not None:
        yield from _places("finish", network.finish)
    yield Point("state", network, "out")


def _places(prefix: str, block: nn.Module) -> Iterator[Point]:
    for path, module in block.named_modules():
        if isinstance(module, (nn.ModuleList, nn.ModuleDict)):
            continue
        name = ".".join((prefix, *(SHORT.get(part, part) for part in path.split(".") if part)))
        yield Point(f"{name}.in", module, "in")
        if _attends(module):
            yield from (Point(f"{name}.{what}", module, "in", what) for what in ("q", "k", "v", "pattern"))
            yield Point(f"{name}.heads", module.out, "in")
        if isinstance(down := getattr(module, "down", None), nn.Module):
            yield Point(f"{name}.hidden", down, "in")
        yield Point(f"{name}.out", module, "out")


def _attends(module: nn.Module) -> TypeGuard[SelfAttention]:
    """Whether a module is softmax attention with one product for queries, keys and values."""
    return isinstance(module, SelfAttention) and not isinstance(module, KernelAttention)


def queries_keys_values(attention: SelfAttention, x: Tensor, context: Context) -> tuple[Tensor, Tensor, Tensor]:
    """(B, N, W) -> each (B, H, N, D), positions turned in where the model has rotary ones; registers, if the attention
    has any, stand after the N keys and values."""
    q, k, v = attention.prepared(*attention.projected(x), context)
    shared_by = attention.heads // attention.groups
    return q, k.repeat_interleave(shared_by, dim=1), v.repeat_interleave(shared_by, dim=1)


def attention_pattern(attention: SelfAttention, x: Tensor, context: Context) -> Tensor:
    """The softmax weights, (B, H, N, keys) float32, rows summing to one; computed again: fused kernels keep none."""
    q, k, _ = queries_keys_values(attention, x, context)
    scores = q.float() @ k.float().transpose(-1, -2) / q.shape[-1] ** 0.5
    scope = attention.scope(context, scores.dtype)
    if scope is not None:
        scores = scores.masked_fill(~scope, -torch.inf) if scope.dtype == torch.bool else scores + scope
    pattern: Tensor = scores.softmax(-1)
    return pattern


def derived(what: str, module: nn.Module, x: Tensor, context: Context) -> Tensor:
    """A site that no module gives: see `Point`."""
    assert isinstance(module, SelfAttention)
    if what == "pattern":
        return attention_pattern(module, x, context)
    return queries_keys_values(module, x, context)["qkv".index(what)]


@torch.no_grad()
def sites(model: HRM) -> list[Site]:
    """Every site of a model, in order of execution, with its shape for one puzzle."""
    from hrmlab.analysis.tracing.hooks import hooks  # which asks this module for its points

    found: dict[str, Site] = {}

    def see(tensor: Tensor, /, *, at: Address) -> None:
        name = at.site
        calls = found[name].calls if name in found else 0
        found[name] = Site(name, tuple(tensor.shape[1:]), calls + 1)

    device, cells = model.initial.device, model.spec.seq_len
    tokens = torch.zeros(1, cells, dtype=torch.int64, device=device)
    batch = Batch(tokens, tokens, tokens[:, 0])
    with hooks(model, forward=[("*", see)]):
        model(model.empty_carry(batch).states, batch)
    return list(found.values())
