"""D-06: what an optimiser step does to the weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import torch
from torch import Tensor, nn

from hrmlab.analysis.probes.base import PROBES, NotApplicable, Outcome, Probe, Threshold
from hrmlab.analysis.probes.maths.gradients import cosine, learn
from hrmlab.analysis.probes.maths.optimising import Decay, decay_of, rate_key, warmth
from hrmlab.analysis.probes.maths.slots import fresh_slots
from hrmlab.analysis.probes.subject import Learner, Subject, groups_of, parameter_group
from hrmlab.results.probes import Finding


@PROBES.register(source="Loshchilov and Hutter 2019, arXiv 1711.05101; thresholds of traintools and hrm-lab")
@dataclass(frozen=True, kw_only=True)
class Updates(Probe):
    """Size and direction of a few optimiser steps by parameter group, taken on a copy of the weights.

    steps: how many.
    large: share of a group's length that one step may change at the peak learning rate.
    coupled: how far from its own multiple of the weights a decay may be, as a share of it.
    """

    code = "D-06"
    question = "Are the steps of training of a sound size, and does every part of the model take part?"
    definition = (
        "|change| / |weights| of each parameter group in a step, over what the learning rate is of its peak; cosine of "
        "successive changes; what a step does to weights whose gradient is zero."
    )
    caveats = ("The optimiser begins without moments, so that its first steps are the largest that it takes.",)
    cost = "training"
    preset = "standard"
    kind: Literal["updates"] = "updates"
    steps: int = 8
    large: float = 0.1
    coupled: float = 0.5

    def thresholds(self) -> Sequence[Threshold]:
        return (
            Threshold("relative size", self.large, "H", "traintools 0.6.2"),
            Threshold("decay without gradient", self.coupled, "D", "decoupled: lr * weight decay * weights"),
        )

    def measure(self, subject: Subject) -> Outcome:
        if subject.learner is None:
            raise NotApplicable("the training of this model cannot be repeated here")
        learner = subject.learner()
        start = _copies(learner.model)
        table = self._taken(learner)
        sizes: dict[str, list[float]] = {}
        for row in table:
            if row["ratio"] is not None:
                sizes.setdefault(row["group"], []).append(row["ratio"])
        middle = {group: median(found) for group, found in sizes.items()}
        still = [name for name, p in learner.model.named_parameters() if torch.equal(p.detach(), start[name])]
        decay = decay_of(subject.learner())
        largest = max((float(p.detach().abs().amax()) for p in learner.model.parameters()), default=0.0)
        turns = [row["cosine"] for row in table if row["cosine"] is not None]
        scalars = {
            "ratio_least": min(middle.values(), default=None),
            "ratio_most": max(middle.values(), default=None),
            "cosine": median(turns) if turns else None,
            "largest_weight": largest,
            "bound": 1 / decay.weight_decay if decay.weight_decay else None,
            "decay_excess": decay.excess,
        }
        findings = [
            *self._too_large(subject, learner, middle),
            *self._coupled(decay),
            *self._frozen(subject, learner, still),
        ]
        return Outcome(self.steps, scalars, table, findings)

    def _taken(self, learner: Learner) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        earlier: dict[str, Tensor] = {}
        for number in range(self.steps):
            before = _flat(learner.model)
            learner.step()
            warm = warmth(learner)
            for group, weights in _flat(learner.model).items():
                change, length = weights - before[group], float(before[group].norm())
                ratio = float(change.norm()) / length / warm if length and warm else None
                turn = cosine(change, earlier[group]) if number else None
                rows.append({"step": number, "group": group, "ratio": ratio, "cosine": turn})
                earlier[group] = change
        return rows

    def _too_large(self, subject: Subject, learner: Learner, sizes: dict[str, float]) -> list[Finding]:
        over = {group: ratio for group, ratio in sizes.items() if not ratio <= self.large}
        if not over:
            return []
        worst = max(over, key=lambda group: over[group])
        key, rate = rate_key(subject.settings, learner, groups_of(learner.model)[worst][0])
        patch = {key: float(f"{rate * self.large / (3 * over[worst]):.1g}")} if key and over[worst] < 1e9 else {}
        return [
            self.finding(
                "too_large",
                "warn" if over[worst] <= 3 * self.large else "fail",
                f"one step changes '{worst}' by {over[worst]:.2g} of its length ({len(over)} such groups)",
                "lower the learning rate",
                observed=over[worst],
                threshold=self.large,
                patch=patch,
            )
        ]

    def _coupled(self, decay: Decay) -> list[Finding]:
        if decay.excess is None or decay.excess <= self.coupled:
            return []
        return [
            self.finding(
                "coupled_decay",
                "warn",
                f"weights whose gradient is zero change by {decay.change:.2g} of their length in a step; decoupled "
                f"decay would take {decay.expected:.2g}",
                "decay the weights beside the gradient, not inside it, where the optimiser rescales it",
                observed=decay.change,
                threshold=decay.expected,
                evidence="V",
                patch={"training.optimiser.kind": "adamw"},
            )
        ]

    def _frozen(self, subject: Subject, learner: Learner, names: list[str]) -> list[Finding]:
        """Groups none of whose parameters changed, the halting head aside where nothing teaches it."""
        parameters = dict(learner.model.named_parameters())
        moving = {parameter_group(name) for name in parameters if name not in names}
        groups = dict.fromkeys(group for name in names if (group := parameter_group(name)) not in moving)
        if "halting_head" in groups and not _head_learns(subject):
            del groups["halting_head"]
        if not groups:
            return []
        held = {id(p) for optimiser in learner.optimisers for group in optimiser.param_groups for p in group["params"]}
        stopped = [parameters[name] for name in names if parameter_group(name) in groups]
        asked = [p for p in stopped if p.requires_grad]
        why, severity = "no gradient arrives there", "fail"
        if not asked:
            why, severity = "they do not ask for gradient (requires_grad is False)", "warn"
        elif not any(id(p) in held for p in asked):
            why = "no optimiser holds them"
        return [
            self.finding(
                "frozen",
                severity,  # type: ignore[arg-type]
                f"the parameters of {', '.join(groups)} never change in {self.steps} steps: {why}",
                "if that is not meant, give them to the optimiser and let gradient reach them",
                observed=len(groups),
                threshold=0,
                evidence="D",
            )
        ]


def _head_learns(subject: Subject) -> bool:
    _, goal = learn(subject, subject.model, fresh_slots(subject, subject.some(1)))
    return set(goal.terms) != {"answer"}


def _copies(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


def _flat(model: nn.Module) -> dict[str, Tensor]:
    """The weights of each group as one new vector."""
    return {group: torch.cat([p.detach().flatten() for p in held]) for group, held in groups_of(model).items()}
