"""What every halting rule would see: one run at full depth, recorded for all of them at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import Check, Fixed, HaltingConfig, HaltingView
from hrmlab.halting.compositions import Composition
from hrmlab.losses import IGNORE
from hrmlab.tasks.base import Examples

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trace:
    """n puzzles, each run for T segments.

    right: (n, T), the answer after each segment is wholly right.
    confidence: (n, T), the sigmoid of the halting head's first value.
    readiness: by rule, (n, T).
    rating: (n,), the puzzles' difficulty.
    answered: (n, T), as `right`, by rule, for those that answer otherwise: blended (`graves_act`), or after steering
        (`damped_residual`).
    """

    right: Flags
    confidence: Floats
    readiness: Mapping[str, Floats]
    rating: npt.NDArray[np.int64]
    answered: Mapping[str, Flags] = field(default_factory=dict)

    def rows(self, which: slice) -> "Trace":
        """Some of the puzzles."""
        readiness = {name: ready[which] for name, ready in self.readiness.items()}
        answered = {name: right[which] for name, right in self.answered.items()}
        return Trace(self.right[which], self.confidence[which], readiness, self.rating[which], answered)

    def seen_by(self, name: str) -> "Trace":
        """The recording with a rule's own answers."""
        return replace(self, right=self.answered.get(name, self.right))


@dataclass(frozen=True, kw_only=True)
class _Panel(Composition):
    """Rules that look on, each with its memory, while nobody halts before the end. steered: the first one damps."""

    kind: Literal["panel"] = "panel"
    steered: bool = False

    def readiness(self, view: HaltingView) -> Tensor:
        return torch.zeros_like(view.steps, dtype=torch.float32)

    @property
    def cutoff(self) -> float:
        return np.inf

    def damping(self, view: HaltingView) -> Tensor | None:
        rule, seen = next(self.members(view))
        return rule.damping(seen) if self.steered else None


def passes(rules: Mapping[str, HaltingConfig]) -> int:
    """How often `record` runs every puzzle: once for all rules that only look on, once for each that steers."""
    return 1 + sum(rule.steers for rule in rules.values())


@torch.inference_mode()
def record(
    model: HRM,
    examples: Examples,
    rules: Mapping[str, HaltingConfig],
    segments: int,
    check: Check,
    *,
    batch_size: int = 128,
    progress: Callable[[int], None] | None = None,
) -> Trace:
    """Run every puzzle for `segments` and ask every rule after each.

    Args:
        rules: by the name to record them under. A rule that changes what is computed has a run of its own.
        progress: called with the number of puzzles just finished, `passes(rules)` times for each.
    """
    watching = {name: rule for name, rule in rules.items() if not rule.steers}
    run = partial(_whole, model, examples, segments=segments, check=check, batch_size=batch_size, progress=progress)
    seen = run(watching or {"fixed": Fixed()}, steered=False)
    readiness, answered = dict(seen.readiness), dict(seen.answered)
    for name, rule in rules.items():
        if rule.steers:
            own = run({name: rule}, steered=True)
            readiness[name], answered[name] = own.readiness[name], own.right
    return replace(seen, readiness={name: readiness[name] for name in rules}, answered=answered)


def _whole(
    model: HRM,
    examples: Examples,
    rules: Mapping[str, HaltingConfig],
    *,
    steered: bool,
    segments: int,
    check: Check,
    batch_size: int,
    progress: Callable[[int], None] | None,
) -> Trace:
    panel = _Panel(rules=tuple(rules.values()), max_segments=segments, steered=steered)
    parts: list[dict[str, Any]] = []
    for start in range(0, len(examples), batch_size):
        batch = _batch(model, examples, slice(start, start + batch_size))
        parts.append(_run(model, batch, panel, check))
        if progress:
            progress(len(batch))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    by_rule = {name: (whole["ready"][:, :, at], whole["answered"][:, :, at]) for at, name in enumerate(rules)}
    return Trace(
        whole["right"],
        whole["confidence"],
        {name: ready for name, (ready, _) in by_rule.items()},
        np.asarray(examples.rating),
        {name: right for name, (_, right) in by_rule.items() if _answers_otherwise(rules[name])},
    )


def _answers_otherwise(rule: HaltingConfig) -> bool:
    return type(rule).answer is not HaltingConfig.answer


def _run(model: HRM, batch: Batch, panel: _Panel, check: Check) -> dict[str, npt.NDArray[Any]]:
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))
    columns: dict[str, list[Tensor]] = {"right": [], "confidence": [], "ready": [], "answered": []}
    for _ in range(panel.max_segments):
        step = segment(model, carry, panel, check=check)
        carry = step.carry
        right = _right(step.output.logits, batch)
        ready, answered = [], []
        for rule, seen in panel.members(step.view):
            ready.append(rule.readiness(seen).double())
            answered.append(_right(rule.answer(seen), batch) if _answers_otherwise(rule) else right)
        columns["right"].append(right)
        columns["confidence"].append(step.output.values[:, 0].double().sigmoid())
        columns["ready"].append(torch.stack(ready, -1))
        columns["answered"].append(torch.stack(answered, -1))
    return {name: torch.stack(column, 1).cpu().numpy() for name, column in columns.items()}


def _right(logits: Tensor, batch: Batch) -> Tensor:
    return ((logits.argmax(-1) == batch.labels) | (batch.labels == IGNORE)).all(-1)


def _batch(model: HRM, examples: Examples, rows: slice) -> Batch:
    parts = (examples.inputs, examples.labels, examples.identifiers)
    device = model.initial.device
    return Batch(*(torch.from_numpy(np.asarray(part[rows]).astype(np.int64)).to(device) for part in parts))
