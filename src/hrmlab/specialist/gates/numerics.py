"""G2 and G4: what a model computes is finite, reproducible and leak-free, and gradient reaches all of it."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hrmlab.api.steps import random_examples
from hrmlab.core.act import objective, segment
from hrmlab.core.carry import Batch, Carry
from hrmlab.core.eager import Eager
from hrmlab.core.model import HRM
from hrmlab.results.specialist import Gate
from hrmlab.specialist.citing import cite
from hrmlab.specialist.gates.base import Trial
from hrmlab.training.config import RunConfig

ROWS = 6
CLOSE = 1e-4
FAINT, LOUD = 1e-9, 1e4
APART = 1e3
"""Between a network's gradient norm under the change and under the base, beyond which something is wrong."""


@dataclass(frozen=True)
class Look:
    """One training segment of a fresh model on random puzzles.

    mutates: the batch. deaf: answers do not depend on puzzles. norms: of the gradient, by network.
    """

    finite: bool
    mutates: bool
    deaf: bool
    attached: bool
    repeats: float
    permutation: float
    neighbours: float
    untaught: list[str]
    norms: dict[str, float]


def numerics(trial: Trial) -> tuple[Gate, Gate]:
    """Numerics of the changed model, and its gradient beside the base's."""
    values = trial.place.measure("numerics")
    before, after = Look(**values["base"]), Look(**{name: of for name, of in values.items() if name != "base"})
    record = trial.ledger.append("numerics", {"proposal": trial.proposal.id, "puzzles": ROWS}, values)
    new = sorted(set(after.untaught) - set(before.untaught))
    wrong = [
        words
        for holds, words in (
            (after.finite, "something is not finite"),
            (not after.mutates, "the puzzles are written into"),
            (not after.deaf, "other puzzles get the same answers"),
            (not after.attached, "the carry keeps its graph, so that memory grows"),
            (after.repeats == 0, "two equal runs differ"),
            (after.permutation < CLOSE, "the order of puzzles in a batch matters"),
            (after.neighbours < CLOSE, "a puzzle's answer depends on its neighbours in the batch"),
            (not new, f"no gradient reaches `{', '.join(new)}`"),
        )
        if not holds
    ]
    whole = "Finite, the carry detached, equal runs equal, puzzles independent of order and of each other, every "
    whole += f"parameter taught (largest deviation {cite(record, 'neighbours', '.1e')})."
    first = trial.gate("numerics", not wrong, whole if not wrong else f"{'; '.join(wrong).capitalize()}.", record.id)
    norms = [f"`{name}` {cite(record, f'norms.{name}')}" for name in after.norms]
    known = [f"`{name}` {cite(record, f'base.norms.{name}')}" for name in before.norms]
    ratios = [after.norms[name] / max(before.norms[name], FAINT) for name in after.norms if name in before.norms]
    healthy = all(FAINT < norm < LOUD for norm in after.norms.values())
    healthy = healthy and all(1 / APART < ratio < APART for ratio in ratios)
    words = f"Norms of the gradient by network: {', '.join(norms)}; in the base {', '.join(known)}. "
    words += "It neither vanishes nor explodes." if healthy else "It vanishes or explodes."
    return first, trial.gate("gradient flow", healthy, words, record.id)


def measured(base: RunConfig, changed: RunConfig) -> dict[str, Any]:
    """A look at the changed model, and at the base's."""
    return {**vars(look(changed)), "base": vars(look(base))}


def look(config: RunConfig) -> Look:
    """A fresh model of a configuration at work."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = HRM(config.model, config.task.spec())
        batch = _batch(config)
        puzzles = Batch(*(part.clone() for part in vars(batch).values()))
        step = segment(Eager(model), _begun(model, batch), config.halting, check=config.task.valid)
        goal = objective(step, config.loss, config.halting)
        goal.total.backward()  # type: ignore[no-untyped-call]
    logits = step.output.logits.detach()
    order = torch.arange(ROWS).flip(0)
    turned = Batch(*(part[order] for part in vars(batch).values()))
    other = replace(batch, inputs=torch.cat((batch.inputs[:1], batch.inputs[1:].flip(1))))
    taught = {name: p for name, p in model.named_parameters() if p.requires_grad}
    gradients = {name: p.grad for name, p in taught.items() if p.grad is not None}
    alone, others = _logits(model, batch), _logits(model, other)
    return Look(
        finite=bool(logits.isfinite().all()) and all(bool(g.isfinite().all()) for g in gradients.values()),
        mutates=_differ(puzzles, batch) or _differ(puzzles, step.carry.batch),
        deaf=_apart(alone[1:], others[1:]) == 0,
        attached=any(state.requires_grad for state in step.carry.states.values()),
        repeats=_apart(_logits(model, batch), alone),
        permutation=_apart(_logits(model, turned)[order], alone),
        neighbours=_apart(others[:1], alone[:1]),
        untaught=[name for name in taught if name not in gradients or not gradients[name].any()],
        norms={name: _norm(gradients, f"networks.{name}.") for name in model.networks},
    )


def _batch(config: RunConfig) -> Batch:
    rows = random_examples(config, ROWS)
    return Batch(*(torch.from_numpy(part.astype(np.int64)) for part in (rows.inputs, rows.labels, rows.identifiers)))


def _begun(model: HRM, batch: Batch) -> Carry:
    carry = model.empty_carry(batch)
    return carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))


@torch.no_grad()
def _logits(model: HRM, batch: Batch) -> Tensor:
    logits: Tensor = model(_begun(model, batch).states, batch).logits
    return logits.float()


def _apart(one: Tensor, other: Tensor) -> float:
    return float((one - other).abs().max())


def _differ(one: Batch, other: Batch) -> bool:
    return any(not torch.equal(mine, its) for mine, its in zip(vars(one).values(), vars(other).values(), strict=True))


def _norm(gradients: dict[str, Tensor], prefix: str) -> float:
    parts = [gradient.norm() for name, gradient in gradients.items() if name.startswith(prefix)]
    return float(torch.stack(parts).norm()) if parts else 0.0
