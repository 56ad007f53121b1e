"""What every halting rule would see: one run at full depth, recorded for all of them at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from hrmlab.core.act import segment
from hrmlab.core.carry import Batch
from hrmlab.core.model import HRM
from hrmlab.halting import Check, HaltingConfig, HaltingView
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
    """

    right: Flags
    confidence: Floats
    readiness: Mapping[str, Floats]
    rating: npt.NDArray[np.int64]

    def rows(self, which: slice) -> "Trace":
        """Some of the puzzles."""
        readiness = {name: ready[which] for name, ready in self.readiness.items()}
        return Trace(self.right[which], self.confidence[which], readiness, self.rating[which])


@dataclass(frozen=True, kw_only=True)
class _Panel(Composition):
    """Rules that look on, each with its memory, while nobody halts before the end."""

    kind: Literal["panel"] = "panel"

    def readiness(self, view: HaltingView) -> Tensor:
        return torch.zeros_like(view.steps, dtype=torch.float32)

    @property
    def cutoff(self) -> float:
        return np.inf

    def damping(self, view: HaltingView) -> None:
        return None


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
        rules: by the name to record them under. Rules that change what is computed (`damped_residual`) are only asked.
        progress: called with the number of puzzles just finished.
    """
    panel = _Panel(rules=tuple(rules.values()), max_segments=segments)
    parts: list[dict[str, Any]] = []
    for start in range(0, len(examples), batch_size):
        batch = _batch(model, examples, slice(start, start + batch_size))
        parts.append(_run(model, batch, panel, check))
        if progress:
            progress(len(batch))
    whole = {name: np.concatenate([part[name] for part in parts]) for name in ("right", "confidence", "ready")}
    readiness = {name: whole["ready"][:, :, at] for at, name in enumerate(rules)}
    return Trace(whole["right"], whole["confidence"], readiness, np.asarray(examples.rating))


def _run(model: HRM, batch: Batch, panel: _Panel, check: Check) -> dict[str, npt.NDArray[Any]]:
    carry = model.empty_carry(batch)
    carry = carry.refill(model.initial_states(), batch, torch.ones_like(carry.steps))
    right, confidence, ready = [], [], []
    for _ in range(panel.max_segments):
        step = segment(model, carry, panel, check=check)
        carry = step.carry
        grid = step.output.logits.argmax(-1)
        right.append(((grid == batch.labels) | (batch.labels == IGNORE)).all(-1))
        confidence.append(step.output.values[:, 0].double().sigmoid())
        ready.append(torch.stack([rule.readiness(seen).double() for rule, seen in panel.members(step.view)], -1))
    columns = {"right": right, "confidence": confidence, "ready": ready}
    return {name: torch.stack(column, 1).cpu().numpy() for name, column in columns.items()}


def _batch(model: HRM, examples: Examples, rows: slice) -> Batch:
    parts = (examples.inputs, examples.labels, examples.identifiers)
    device = model.initial.device
    return Batch(*(torch.from_numpy(np.asarray(part[rows]).astype(np.int64)).to(device) for part in parts))
