"""D-24: what the model would answer after every update, and what it takes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from hrmlab.analysis.probes.base import PROBES, Outcome, Probe, Threshold
from hrmlab.analysis.probes.lenses import View, last_changes, solve_steps, views
from hrmlab.analysis.probes.maths.summary import mean, median
from hrmlab.analysis.probes.rules import conflicts
from hrmlab.analysis.probes.subject import Subject


@PROBES.register(source="Wang et al. 2025, arXiv 2506.21734, figure 7 (the preview); plain lens and counts hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Decoding(Probe):
    """Answers read after every update, through both lenses: how right, how sure, how much of them changes.

    puzzles: how many to run.
    """

    code = "D-24"
    question = "What would the model answer after each step: does it fill in, revise, or flicker?"
    definition = (
        "Plain lens: head(answer level). Preview: head(answer level's network once more). Churn: share of the unknown "
        "cells that changed since the step before; commit: a cell's last change; solve: the first step all right."
    )
    caveats = ("Between segments the model itself only ever shows the plain lens after the last update.",)
    kind: Literal["decoding"] = "decoding"
    puzzles: int = 32

    def thresholds(self) -> Sequence[Threshold]:
        return ()

    def measure(self, subject: Subject) -> Outcome:
        batch, updates = subject.some(self.puzzles), subject.model.schedule.updates
        found = views(subject.model, batch, subject.segments)
        unknown = subject.unknown_cells()[: len(batch)]
        columns = {lens: _columns(subject, view, batch.labels, unknown) for lens, view in found.items()}
        table: list[dict[str, Any]] = [
            {"segment": step // len(updates), "row": step % len(updates), "level": updates[step % len(updates)].target}
            | {
                f"{lens}_{name}": None if value is None else float(value[step])
                for lens, values in columns.items()
                for name, value in values.items()
            }
            for step in range(len(updates) * subject.segments)
        ]
        scalars: dict[str, float | str | None] = {"updates_per_segment": len(updates)}
        for lens, view in found.items():
            solved = solve_steps(_right(view, batch.labels))
            scalars[f"{lens}_solve"] = median(solved[solved < view.tokens.shape[1]].double())
            scalars[f"{lens}_commit"] = median(last_changes(view.tokens)[unknown].double())
        scalars["preview_ahead"] = mean(
            solve_steps(_right(found["plain"], batch.labels)) - solve_steps(_right(found["preview"], batch.labels))
        )
        return Outcome(len(batch), scalars, table)


def _right(view: View, labels: Tensor) -> Tensor:
    """(n, K) booleans: every scored cell right."""
    return ((view.tokens == labels[:, None]) | (labels < 0)[:, None]).all(-1)


def _columns(subject: Subject, view: View, labels: Tensor, unknown: Tensor) -> dict[str, Tensor | None]:
    """Numbers by step, (K,) each: means over puzzles of shares of their unknown cells, but for `exact`."""
    here = view.tokens == labels[:, None]
    before = torch.cat((view.tokens[:, :1], view.tokens[:, :-1]), 1)
    was = before == labels[:, None]
    changed = before != view.tokens
    count = unknown.sum(1).clamp_min(1)

    def share(cells: Tensor) -> Tensor:
        return ((cells * unknown[:, None]).sum(-1) / count[:, None]).mean(0)

    broken = conflicts(subject.task, view.tokens.flatten(0, 1).cpu().numpy())
    return {
        "cells": share(here),
        "exact": _right(view, labels).float().mean(0),
        "entropy": share(view.entropy),
        "churn": share(changed),
        "spoilt": share(was & ~here),
        "mended": share(~was & here),
        "swapped": share(changed & ~was & ~here),
        "conflicts": None if broken is None else torch.from_numpy(broken).view(here.shape[:2]).double().mean(0),
    }
