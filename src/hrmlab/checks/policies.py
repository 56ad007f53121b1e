"""Rules of halting policies."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.checks.asking import Rule, Skipped, demand
from hrmlab.halting import Glimpse, HaltingConfig, HaltingView, Outcome
from hrmlab.registry import Entry

LONGEST = 4
CELLS, SYMBOLS, WIDTH = 5, 4, 6


def policy(entry: Entry, **settings: Any) -> HaltingConfig:
    """The policy with at most a few segments, so that every limit is met."""
    made: HaltingConfig = entry.config(**{"max_segments": LONGEST} | settings)
    return made


def view(slots: int, seed: int = 0, *, scale: float = 3.0, **given: Any) -> HaltingView:
    """Slots at different segments, with all that any policy may ask for."""
    draw = torch.Generator().manual_seed(seed)

    def random(*shape: int) -> Tensor:
        return torch.randn(slots, *shape, generator=draw)

    steps = torch.randint(1, LONGEST + 1, (slots,), generator=draw, dtype=torch.int32)
    seen = HaltingView(
        steps=steps,
        values=random(2) * scale,
        logits=random(CELLS, SYMBOLS) * 3,
        state=random(CELLS, WIDTH),
        before=random(CELLS, WIDTH),
        inputs=torch.randint(0, SYMBOLS, (slots, CELLS), generator=draw),
        ahead=Glimpse(random(2) * scale),
        earlier=random(2) * scale,
        check=even,
    )
    return replace(seen, **given)


def even(inputs: npt.NDArray[Any], answers: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """A rule of no game at all, which about half of all answers obey."""
    return np.asarray(answers.sum(-1) % 2 == 0)


def remembering(rule: HaltingConfig, slots: int, seed: int = 0) -> HaltingView:
    """A view with the memory of another segment behind it."""
    return view(slots, seed, memory=rule.remember(view(slots, seed + 1000)))


def part(whole: HaltingView, rows: Any) -> HaltingView:
    """The view of some slots alone."""

    def pick(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value[rows]
        if isinstance(value, Glimpse):
            return Glimpse(value.values[rows])
        return {name: tensor[rows] for name, tensor in value.items()} if isinstance(value, dict) else value

    return HaltingView(**{f.name: pick(getattr(whole, f.name)) for f in fields(whole)})


def outcome(slots: int) -> Outcome:
    """Every third answer right."""
    return Outcome(torch.arange(slots) % 3 == 0, torch.linspace(0, 2, slots))


def decisions(entry: Entry) -> None:
    """Gives booleans, (B,), from readiness that is float32 and no NaN, and records no gradient."""
    rule = policy(entry)
    seen = remembering(rule, 8)
    seen = replace(seen, values=seen.values.requires_grad_())
    ready = rule.readiness(seen)
    demand(ready.shape == (8,), f"readiness has shape {tuple(ready.shape)}; wanted one number a slot, (8,)")
    demand(ready.dtype == torch.float32, f"readiness is {ready.dtype}; wanted torch.float32")
    demand(not ready.isnan().any(), "readiness is NaN in some slot")
    halted = rule.halted(seen, seen.steps)
    demand(halted.dtype == torch.bool and halted.shape == (8,), "halted is no (B,) tensor of booleans")
    demand(not rule.answer(seen).requires_grad or seen.logits.requires_grad, "its answer carries a gradient")


def limits(entry: Entry) -> None:
    """Halts at max_segments and never before min_segments and the first segment that is allowed."""
    for seed in range(8):
        for first, least in ((1, 1), (2, 3), (LONGEST, 1), (1, 6)):
            rule = policy(entry, min_segments=least)
            seen = remembering(rule, 8, seed)
            halted = rule.halted(seen, torch.full((8,), first, dtype=torch.int32))
            demand(halted[seen.steps >= LONGEST].all(), f"a slot goes on after its last segment, {LONGEST}")
            early = (seen.steps < max(first, least)) & (seen.steps < LONGEST)
            demand(not halted[early].any(), f"a slot halts before segment {max(first, least)}")


def first_allowed(entry: Entry) -> None:
    """Draws the first segment allowed from the generator that it is given, within the limits."""
    rule = policy(entry)
    drawn, again = (rule.first_allowed(6, torch.Generator().manual_seed(3)) for _ in range(2))
    demand(torch.equal(drawn, again), "the same generator gives other segments")
    for draw in (drawn, rule.first_allowed(6, None)):
        demand(draw.shape == (6,) and draw.dtype == torch.int32, "is no (slots,) tensor of int32")
        demand(((draw >= 1) & (draw <= LONGEST)).all(), f"lies outside of 1..{LONGEST}")


def batch(entry: Entry) -> None:
    """Judges each slot by itself."""
    rule = policy(entry)
    if not rule.independent:
        raise Skipped("it decides over the whole batch, and says so (independent = False)")
    seen, allowed = remembering(rule, 8), torch.ones(8, dtype=torch.int32)
    torch.manual_seed(1)
    together = rule.readiness(seen), rule.halted(seen, allowed).float(), rule.answer(seen)
    for at in range(8):
        one = part(seen, slice(at, at + 1))
        torch.manual_seed(1)
        alone = rule.readiness(one), rule.halted(one, allowed[:1]).float(), rule.answer(one)
        for whole, single in zip(together, alone, strict=True):
            demand(torch.allclose(whole[at : at + 1], single, atol=1e-6), f"slot {at} alone is judged otherwise")


def determinism(entry: Entry) -> None:
    """Judges the same view the same, whatever has been drawn or judged before."""
    rule = policy(entry)
    seen = remembering(rule, 8)
    torch.manual_seed(1)
    first = rule.readiness(seen)
    rule.readiness(view(8, 5))
    torch.manual_seed(2)
    demand(torch.equal(first, rule.readiness(seen)), "the same view is judged otherwise the second time")


def memory(entry: Entry) -> None:
    """Remembers nothing of the last puzzle once a slot begins a new one, and keeps no gradient."""
    rule = policy(entry)
    fresh = replace(view(6), steps=torch.ones(6, dtype=torch.int32))
    stale = replace(fresh, memory=rule.remember(view(6, 77)))
    demand(torch.equal(rule.readiness(stale), rule.readiness(fresh)), "a slot that begins is judged by its last puzzle")
    demand(torch.equal(rule.answer(stale), rule.answer(fresh)), "a slot that begins answers by its last puzzle")
    kept = rule.remember(stale)
    for name, tensor in rule.remember(fresh).items():
        demand(torch.equal(kept[name], tensor), f"memory '{name}' of a slot that begins comes from its last puzzle")
        demand(not tensor.requires_grad and len(tensor) == 6, f"memory '{name}' has a gradient, or not a row a slot")


def view_untouched(entry: Entry) -> None:
    """Changes nothing of what it looks at."""
    rule = policy(entry)
    seen, before = remembering(rule, 8), remembering(rule, 8)
    rule.halted(seen, torch.ones(8, dtype=torch.int32))
    rule.remember(seen)
    rule.losses(seen, outcome(8))
    for field in fields(seen):
        now, was = getattr(seen, field.name), getattr(before, field.name)
        demand(not isinstance(now, Tensor) or torch.equal(now, was), f"view.{field.name} is changed in place")


def losses(entry: Entry) -> None:
    """Its losses are finite sums over the slots, also of extreme values, and where there is nothing ahead or behind."""
    rule, right = policy(entry), outcome(8)
    for gone in ((), ("ahead",), ("earlier",), ("ahead", "earlier")):
        nothing: dict[str, Any] = dict.fromkeys(gone)
        seen = view(8, scale=1e3, **nothing)
        whole = rule.losses(seen, right)
        halves = [
            rule.losses(part(seen, rows), Outcome(right.correct[rows], right.loss[rows]))
            for rows in (slice(0, 3), slice(3, 8))
        ]
        for name, loss in whole.items():
            demand(loss.shape == () and loss.isfinite(), f"loss '{name}' is no finite number")
            total = torch.stack([half[name] for half in halves]).sum()
            demand(torch.allclose(loss, total, rtol=1e-4), f"loss '{name}' is no sum over the slots")


def gradients(entry: Entry) -> None:
    """Its losses send finite gradients to the halting head, and none to the answer."""
    rule = policy(entry)
    seen = remembering(rule, 8)
    values, logits = seen.values.clone().requires_grad_(), seen.logits.clone().requires_grad_()
    terms = list(rule.losses(replace(seen, values=values, logits=logits), outcome(8)).values())
    if not terms:
        demand(not rule.looks_ahead(0) and not rule.looks_back, "it learns nothing, but asks to look ahead or back")
        raise Skipped("it learns nothing")
    demand(torch.stack(terms).sum().requires_grad, "its losses do not depend on the halting head's values")
    head, answer = torch.autograd.grad(torch.stack(terms).sum(), [values, logits], allow_unused=True)
    demand(head is not None and head.isfinite().all() and head.ne(0).any(), "the halting head gets no gradient")
    demand(answer is None or not answer.any(), "its losses pull at the answer's logits; detach them")


def damping(entry: Entry) -> None:
    """Goes a share of the way over 0 and up to 1, if it damps."""
    rule = policy(entry)
    share = rule.damping(remembering(rule, 8))
    if share is None:
        raise Skipped("it does not damp")
    demand(share.shape == (8,) and ((share > 0) & (share <= 1)).all(), "wanted (B,) shares over 0 and up to 1")


RULES: dict[str, Rule[Entry]] = {
    "decisions": decisions,
    "limits": limits,
    "first allowed": first_allowed,
    "batch independence": batch,
    "determinism": determinism,
    "no leak across puzzles": memory,
    "view untouched": view_untouched,
    "losses": losses,
    "gradient reach": gradients,
    "damping": damping,
}
