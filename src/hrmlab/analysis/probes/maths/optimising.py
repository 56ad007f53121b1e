"""What an optimiser does, seen from outside: its learning rates, and its decay of weights without gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hrmlab.analysis.probes.subject import Learner

MEASURABLE = 1e-6
"""Least change, as a share of a weight, that float32 resolves well enough."""


@dataclass(frozen=True)
class Decay:
    """Of the parameter whose decay is furthest from decoupled.

    weight_decay: the largest of any group. change, expected: relative change in a step without gradient, and what
    lr * weight decay would make it. excess: |change - expected| / expected, as vectors; None where nothing decays.
    """

    weight_decay: float
    change: float = 0.0
    expected: float = 0.0
    excess: float | None = None


@torch.no_grad()
def decay_of(learner: Learner) -> Decay:
    """Take a step with zero gradients, which changes the learner's weights."""
    worst = Decay(max((group.get("weight_decay", 0.0) for group in _groups(learner)), default=0.0))
    for optimiser in learner.optimisers:
        watched = [
            (p, p.clone(), group["lr"] * group["weight_decay"])
            for group in optimiser.param_groups
            for p in group["params"]
            if group["lr"] * group.get("weight_decay", 0.0) > MEASURABLE and float(p.norm()) > 0
        ]
        for group in optimiser.param_groups:
            for p in group["params"]:
                p.grad = torch.zeros_like(p)
        optimiser.step()
        for p, before, share in watched:
            length = float(before.norm())
            excess = float((p - before + share * before).norm()) / (share * length)
            if worst.excess is None or excess > worst.excess:
                worst = Decay(worst.weight_decay, float((p - before).norm()) / length, share, excess)
    return worst


def warmth(learner: Learner) -> float:
    """What the last step's learning rates were of their peaks."""
    return min((group["lr"] / group["peak_lr"] for group in _groups(learner) if group.get("peak_lr")), default=1.0)


def rate_key(settings: Mapping[str, Any], learner: Learner, parameter: Tensor) -> tuple[str, float]:
    """The configuration's key of the learning rate of a parameter, and its value; empty where there is none."""
    optimiser = settings.get("training", {}).get("optimiser", {})
    held = [number for number, one in enumerate(learner.optimisers) for group in one.param_groups
            if any(p is parameter for p in group["params"])]  # fmt: skip
    if held and held[0] and "lr" in optimiser.get("rest", {}):
        return "training.optimiser.rest.lr", float(optimiser["rest"]["lr"])
    return ("training.optimiser.lr", float(optimiser["lr"])) if "lr" in optimiser else ("", 0.0)


def _groups(learner: Learner) -> list[dict[str, Any]]:
    return [group for optimiser in learner.optimisers for group in optimiser.param_groups]
