"""Recording activations by address while a model thinks."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor

from hrmlab.analysis.tracing.address import Address, Pattern, clocks, no_match, patterns
from hrmlab.analysis.tracing.hooks import WHOLE, hooks
from hrmlab.analysis.tracing.sites import sites as all_sites
from hrmlab.core.act import segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.core.recurrence import States
from hrmlab.errors import ConfigError
from hrmlab.halting import Fixed, HaltingConfig

Reduce = Callable[[Tensor], Tensor]
"""Makes less of a tensor, (B, ...) -> (B, ...), as it streams by."""


def norms(tensor: Tensor) -> Tensor:
    """Length of each state vector: (B, ..., W) -> (B, ...)."""
    lengths: Tensor = tensor.float().norm(dim=-1)
    return lengths


def summary(tensor: Tensor) -> Tensor:
    """Of each puzzle: mean, root mean square, largest magnitude, share of numbers that are not finite; (B, 4)."""
    flat = tensor.float().flatten(1)
    bad = (~flat.isfinite()).float().mean(1)
    return torch.stack((flat.mean(1), flat.square().mean(1).sqrt(), flat.abs().amax(1), bad), 1)


REDUCERS: Mapping[str, Reduce] = {"summary": summary, "norms": norms}


@dataclass(frozen=True)
class Trace(Mapping[Address, Tensor]):
    """What was recorded, by address in order of execution, on the CPU.

    logits, halting: of every segment, (B, T, N, V) and (B, T, 2), as the model gave them.
    segments: (B,), how many each puzzle had before the rule stopped it (all, where halting was only recorded).
    """

    kept: dict[Address, Tensor]
    logits: Tensor
    halting: Tensor
    segments: Tensor
    known: tuple[str, ...] = field(repr=False)

    def __getitem__(self, key: Address | str) -> Tensor:
        """By address, or by the text of one that names a single activation."""
        if isinstance(key, Address):
            return self.kept[key]
        found = self.select(key)
        if len(found) > 1:
            raise ConfigError(f"'{key}' is {len(found)} activations, from {min(found)} to {max(found)}; wanted one")
        return next(iter(found.values()))

    def __iter__(self) -> Iterator[Address]:
        return iter(self.kept)

    def __len__(self) -> int:
        return len(self.kept)

    def select(self, text: str) -> dict[Address, Tensor]:
        """Everything that a pattern matches, in order.

        Raises:
            ConfigError: nothing does.
        """
        pattern, length = Pattern.parse(text), self.logits.shape[1]
        found = {at: tensor for at, tensor in self.kept.items() if pattern.fits(at, length)}
        if not found:
            raise no_match(pattern, self.known)
        return found

    def stacked(self, text: str) -> Tensor:
        """The same as one tensor, (number of addresses, B, ...)."""
        return torch.stack(list(self.select(text).values()))


@torch.no_grad()
def trace(
    model: HRM,
    batch: Batch,
    sites: str | Iterable[str],
    segments: int = 16,
    *,
    halting: Literal["record", "apply"] = "record",
    rule: HaltingConfig | None = None,
    reduce: str | Reduce | None = "summary",
    states: States | None = None,
    max_bytes: int = 2**30,
) -> Trace:
    """Run a batch and keep what passes the sites; the model's answers are bit for bit those of a run without.

    Args:
        sites: patterns of addresses (`tracing.address.Pattern`).
        halting: "record" runs every puzzle to the end; "apply" freezes the count of a puzzle at the segment where
            `rule` stops it, and ends the run when all are stopped.
        reduce: what is kept of each tensor: a name in `REDUCERS`, a function, or None for all of it.
        states: to begin from; None for the initial ones.
        max_bytes: refuse to keep more than that.

    Raises:
        ConfigError: a pattern matches nothing, or the trace would be too large (it says how large).
    """
    wanted = patterns(sites)
    shrink = REDUCERS[reduce] if isinstance(reduce, str) else reduce
    expected = estimate(model, wanted, len(batch), segments, shrink)
    if expected > max_bytes:
        raise ConfigError(
            f"this trace would keep {expected / 2**20:,.0f} MB, over max_bytes={max_bytes / 2**20:,.0f} MB; "
            f"name fewer sites or segments, fewer puzzles, or a reduce function"
        )
    kept: dict[Address, Tensor] = {}

    def keep(tensor: Tensor, /, *, at: Address) -> None:
        if at not in kept:
            kept[at] = (tensor if shrink is None else shrink(tensor)).to("cpu", copy=True)

    policy = rule if rule is not None and halting == "apply" else Fixed(max_segments=segments)
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))
    carry = carry if states is None else replace(carry, states=states)
    logits, values = [], []
    counts = torch.full((len(batch),), segments, device=carry.steps.device)
    going = torch.ones_like(carry.halted)
    with hooks(model, forward=[(pattern.text, keep) for pattern in wanted], segments=segments):
        for number in range(segments):
            step = segment(model, carry, policy)
            carry = step.carry
            logits.append(step.output.logits.cpu())
            values.append(step.output.values.cpu())
            counts = torch.where(going & carry.halted, number + 1, counts)
            going &= ~carry.halted
            if not going.any():
                break
    names = tuple({at.site for at in kept})
    return Trace(kept, torch.stack(logits, 1), torch.stack(values, 1), counts.cpu(), names)


def estimate(model: HRM, wanted: Iterable[Pattern], puzzles: int, segments: int, reduce: Reduce | None) -> int:
    """Bytes that a trace would keep, from a run of one puzzle for one segment.

    Raises:
        ConfigError: a pattern matches no site of the model, or none of its addresses.
    """
    wanted, known = list(wanted), all_sites(model)
    bytes_of: dict[str, int] = {}
    for site in known:
        if any(pattern.fits_site(site.name) for pattern in wanted):
            one = torch.zeros(1, *site.shape)
            small = one if reduce is None else reduce(one)
            bytes_of[site.name] = small.numel() * small.element_size()
    total, hit = 0, set[str]()
    for address in _addresses(model, segments, bytes_of):
        fits = [pattern.text for pattern in wanted if pattern.fits(address, segments)]
        hit.update(fits)
        total += bytes_of[address.site] if fits else 0
    if missed := [pattern for pattern in wanted if pattern.text not in hit]:
        raise no_match(missed[0], (site.name for site in known))
    return total * puzzles


def _addresses(model: HRM, segments: int, names: Iterable[str]) -> Iterator[Address]:
    names, counts = list(names), clocks(model.schedule)
    for number in range(segments):
        for name in names:
            if name in WHOLE:
                yield Address(number, -1, (), name)
                continue
            for row, update in enumerate(model.schedule.updates):
                if name.partition(".")[0] == update.target:
                    yield Address(number, row, counts[row], name)
