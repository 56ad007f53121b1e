"""One rule on a recording: every setting worth trying, and what came of each."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from hrmlab.analysis.replay import Point, Segments, score, stops, sweep
from hrmlab.analysis.traces import Flags, Floats, Trace
from hrmlab.halting import GlobalBudget, HaltingConfig, HaltingView

SLOTS = 32
"""Slots that a budget over a batch is replayed with."""


def settings(rule: HaltingConfig, readiness: Floats) -> list[HaltingConfig]:
    """The rule at each threshold that matters for this readiness, (n, T); itself alone if it has none."""
    if isinstance(rule, GlobalBudget):
        longest = readiness.shape[1]
        depths = np.unique(np.geomspace(1, longest, 2 * longest.bit_length()).round(2)).tolist()
        return [rule.at(depth) for depth in depths]
    turned = [rule.at(cutoff) for cutoff in sweep(readiness)] if rule.dial else []
    return [each for each in turned if each is not None] or [rule]


def play(rule: HaltingConfig, name: str, trace: Trace) -> Point:
    """Score a rule on the recording that was made of it under a name."""
    ready, seen = trace.readiness[name], trace.seen_by(name)
    at, chosen = budgeted(rule, ready, SLOTS) if isinstance(rule, GlobalBudget) else stops(ready, rule.cutoff)
    return score(seen, at, chosen, rule.cutoff)


def budgeted(policy: GlobalBudget, readiness: Floats, slots: int) -> tuple[Segments, Flags]:
    """As `stops`, for a budget over `slots` puzzles at once, refilled in order as the solver does.

    Which puzzle may go on depends on its neighbours, but what each would compute does not; so the readiness of its one
    rule, (n, T), recorded alone, is all that the decisions need.
    """
    count, longest = readiness.shape
    [inner] = policy.rules
    asked = GlobalBudget(
        rules=(_Recorded(over=inner.cutoff),),
        mean_segments=policy.mean_segments,
        min_segments=policy.min_segments,
        max_segments=longest,
    )
    at: Segments = np.zeros(count, dtype=np.int64)
    chosen: Flags = np.zeros(count, dtype=np.bool_)
    owner = np.arange(min(slots, count))
    steps, due = np.zeros(len(owner), dtype=np.int64), len(owner)
    while len(owner):
        steps += 1
        view = _view(steps, readiness[owner, steps - 1])
        wants = asked.chooses(view, torch.ones(len(owner), dtype=torch.int32)).numpy()
        done = wants | (steps >= longest)
        at[owner[done]], chosen[owner[done]] = steps[done], wants[done]
        free = np.flatnonzero(done)
        taken = free[: max(count - due, 0)]
        owner[taken], steps[taken] = np.arange(due, due + len(taken)), 0
        due += len(taken)
        kept = np.setdiff1d(np.arange(len(owner)), free[len(taken) :])
        owner, steps = owner[kept], steps[kept]
    return at, chosen


@dataclass(frozen=True, kw_only=True)
class _Recorded(HaltingConfig):
    """Readiness as it was recorded, against the cutoff of the rule that it was recorded of."""

    kind: Literal["recorded"] = "recorded"
    over: float = 0.0

    def readiness(self, view: HaltingView) -> Tensor:
        return view.values[:, 0]

    @property
    def cutoff(self) -> float:
        return self.over


def _view(steps: Segments, ready: Floats) -> HaltingView:
    count, nothing = len(steps), torch.zeros(len(steps), 0)
    values = torch.from_numpy(np.stack([ready, np.zeros(count)], -1)).float()
    return HaltingView(
        steps=torch.from_numpy(steps.copy()),
        values=values,
        logits=nothing,
        state=nothing,
        before=nothing,
        inputs=nothing,
    )
