"""Rules made of rules."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch
from torch import Tensor

from hrmlab.errors import ConfigError
from hrmlab.halting.base import HALTING, HaltingConfig, HaltingView, Memory, Outcome
from hrmlab.halting.correctness import Correctness
from hrmlab.halting.stability import AnswerStability


@dataclass(frozen=True, kw_only=True)
class Composition(HaltingConfig):
    """Base of rules over several others, each with its own memory. Limits are the whole's; the members' count no more.

    In training the first member that learns teaches the head: two would pull one head two ways.
    """

    rules: tuple[HaltingConfig, ...] = (Correctness(), AnswerStability())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rules:
            raise ConfigError(f"{self.kind} came without rules; wanted e.g. {self.kind}(confidence, answer_stability)")

    def members(self, view: HaltingView) -> Iterator[tuple[HaltingConfig, HaltingView]]:
        """Each rule with what it may see."""
        for at, rule in enumerate(self.rules):
            mine = f"{at}/"
            held = {k.removeprefix(mine): tensor for k, tensor in view.memory.items() if k.startswith(mine)}
            yield replace_limit(rule, self.max_segments), replace(view, memory=held)

    def remember(self, view: HaltingView) -> Memory:
        parts = enumerate(rule.remember(seen) for rule, seen in self.members(view))
        return {f"{at}/{name}": tensor for at, part in parts for name, tensor in part.items()}

    @property
    def looks_back(self) -> bool:
        return any(rule.looks_back for rule in self.rules)

    def looks_ahead(self, step: int) -> bool:
        return any(replace_limit(rule, self.max_segments).looks_ahead(step) for rule in self.rules)

    def first_allowed(self, slots: int, generator: torch.Generator | None) -> Tensor:
        draws = [replace_limit(r, self.max_segments).first_allowed(slots, generator) for r in self.rules]
        return torch.stack(draws).amax(0)

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        return next((terms for rule, seen in self.members(view) if (terms := rule.losses(seen, outcome))), {})


def replace_limit(rule: HaltingConfig, max_segments: int) -> HaltingConfig:
    """The rule under the whole's limit of segments."""
    return replace(rule, max_segments=max_segments)


@HALTING.register(source="hrm-lab")
@dataclass(frozen=True, kw_only=True)
class AnyOf(Composition):
    """Halt when one of the rules would.

    Needs: what its rules need. Starts: as they do, each with its own threshold.
    Fails: stops wrongly wherever one of them does.
    """

    kind: Literal["any_of"] = "any_of"

    def readiness(self, view: HaltingView) -> Tensor:
        """How many of them would."""
        return torch.stack([rule.wants_to_halt(seen) for rule, seen in self.members(view)]).float().sum(0)

    @property
    def cutoff(self) -> float:
        return 0.5


@HALTING.register(source="hrm-lab")
@dataclass(frozen=True, kw_only=True)
class AllOf(Composition):
    """Halt when all of the rules would.

    Needs: what its rules need. Starts: as they do, each with its own threshold.
    Fails: goes on wherever one of them does; one that never stops makes it `fixed`.
    """

    kind: Literal["all_of"] = "all_of"

    def readiness(self, view: HaltingView) -> Tensor:
        """How many of them would."""
        return torch.stack([rule.wants_to_halt(seen) for rule, seen in self.members(view)]).float().sum(0)

    @property
    def cutoff(self) -> float:
        return len(self.rules) - 0.5


@HALTING.register(source="hrm-lab; a budget over a batch, for which no paper is known")
@dataclass(frozen=True, kw_only=True)
class GlobalBudget(Composition):
    """Halt as the one rule says; and of every segment's slots one in `mean_segments` or more, the readiest first.

    With slots refilled as they halt, puzzles take `mean_segments` on average at most, however hard they are. The one
    rule whose decisions depend on the neighbours: a puzzle may be given more or less beside others. Ties go to the
    longest at work, then to the lower slot.

    Needs: what its rule needs, and a batch of some size. Starts: `mean_segments` from the compute that there is.
    Fails: with few slots the rounding up to a whole puzzle stops far too many (with one slot everyone halts at once);
    among puzzles that are all hard it gives up on some that a fixed depth would have solved.
    """

    kind: Literal["global_budget"] = "global_budget"
    rules: tuple[HaltingConfig, ...] = (Correctness(),)
    mean_segments: float = 4.0
    dial: ClassVar[str | None] = "mean_segments"
    independent: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.rules) != 1 or self.mean_segments < 1:
            came = f"{len(self.rules)} rules and mean_segments={self.mean_segments}"
            raise ConfigError(f"global_budget came with {came}; wanted one rule and 1 or more")

    def readiness(self, view: HaltingView) -> Tensor:
        """The rule's own."""
        [(rule, seen)] = self.members(view)
        return rule.readiness(seen)

    def at(self, cutoff: float) -> HaltingConfig:
        """Under another budget, in mean segments."""
        return replace(self, mean_segments=cutoff)

    def wants_to_halt(self, view: HaltingView) -> Tensor:
        [(rule, seen)] = self.members(view)
        wants, slots = rule.wants_to_halt(seen), len(view.steps)
        least = -(-slots // self.mean_segments)
        by_age = torch.argsort(view.steps, stable=True, descending=True)
        order = by_age[torch.argsort(rule.readiness(seen)[by_age], stable=True, descending=True)]
        rank = torch.empty_like(order).scatter_(0, order, torch.arange(slots, device=order.device))
        return wants | (rank < least)
