"""Each rule of halting policies is broken by a policy made to break it."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from hrmlab.checks import policies
from hrmlab.checks.asking import ask
from hrmlab.halting import HALTING, HaltingConfig, HaltingView, Memory, Outcome
from hrmlab.registry import Entry


@dataclass(frozen=True, kw_only=True)
class Sound(HaltingConfig):
    """Halts where the first value is over zero, and learns whether the answer is right."""

    kind: Literal["sound"] = "sound"

    def readiness(self, view: HaltingView) -> Tensor:
        return view.values[:, 0].detach()

    @property
    def cutoff(self) -> float:
        return 0.0

    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        return {"right": ((view.values[:, 0] - outcome.correct.float()) ** 2).sum()}


@dataclass(frozen=True, kw_only=True)
class Double(Sound):
    def readiness(self, view: HaltingView) -> Tensor:
        return super().readiness(view).double()


@dataclass(frozen=True, kw_only=True)
class Hasty(Sound):
    def halted(self, view: HaltingView, first_allowed: Tensor) -> Tensor:
        return self.wants_to_halt(view) | self.last(view)


@dataclass(frozen=True, kw_only=True)
class Own(Sound):
    def first_allowed(self, slots: int, generator: torch.Generator | None) -> Tensor:
        return torch.randint(1, self.max_segments + 1, (slots,), dtype=torch.int32)


@dataclass(frozen=True, kw_only=True)
class Ranking(Sound):
    def readiness(self, view: HaltingView) -> Tensor:
        return super().readiness(view) - super().readiness(view).mean()


@dataclass(frozen=True, kw_only=True)
class Guessing(Sound):
    def readiness(self, view: HaltingView) -> Tensor:
        return super().readiness(view) + torch.rand(1)


@dataclass(frozen=True, kw_only=True)
class Clinging(Sound):
    """Believes its memory of a puzzle that is gone."""

    def readiness(self, view: HaltingView) -> Tensor:
        return super().readiness(view) + view.memory.get("most", torch.zeros(len(view.steps)))

    def remember(self, view: HaltingView) -> Memory:
        return {"most": view.recall("most", torch.zeros(len(view.steps))) * 0 + view.values[:, 1].detach()}


@dataclass(frozen=True, kw_only=True)
class Meddling(Sound):
    def remember(self, view: HaltingView) -> Memory:
        view.state.zero_()
        return {}


@dataclass(frozen=True, kw_only=True)
class Averaging(Sound):
    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        return {"right": super().losses(view, outcome)["right"] / len(view.steps)}


@dataclass(frozen=True, kw_only=True)
class Pulling(Sound):
    def losses(self, view: HaltingView, outcome: Outcome) -> dict[str, Tensor]:
        return super().losses(view, outcome) | {"sure": view.logits.square().sum()}


@dataclass(frozen=True, kw_only=True)
class Frozen(Sound):
    def damping(self, view: HaltingView) -> Tensor:
        return torch.zeros(len(view.steps))


def broken(config: type[HaltingConfig]) -> set[str]:
    entry = Entry("halting", "sound", "A policy of a test.", "a test", config)
    return {check.name for check in ask(policies.RULES, [("sound", entry)]) if check.ok is False}


@pytest.mark.parametrize(
    ("config", "rules"),
    [
        (Sound, set()),
        (Double, {"decisions"}),
        (Hasty, {"limits"}),
        (Own, {"first allowed"}),
        (Ranking, {"batch independence"}),
        (Guessing, {"determinism", "no leak across puzzles"}),
        (Clinging, {"no leak across puzzles"}),
        (Meddling, {"view untouched"}),
        (Averaging, {"losses"}),
        (Pulling, {"gradient reach"}),
        (Frozen, {"damping"}),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_a_policy_made_to_break_a_rule_breaks_it_alone(config: type[HaltingConfig], rules: set[str]) -> None:
    assert broken(config) == rules


@pytest.mark.parametrize("entry", list(HALTING), ids=lambda entry: entry.name)
def test_every_policy_of_ours_keeps_the_rules(entry: Entry) -> None:
    assert broken(entry.config) == set()


def test_a_view_of_some_slots_has_their_rows(rows: Any = slice(2, 4)) -> None:
    whole = replace(policies.view(6), memory={"kept": torch.arange(6)})
    some = policies.part(whole, rows)
    assert some.memory["kept"].tolist() == [2, 3] and torch.equal(some.ahead.values, whole.ahead.values[rows])
